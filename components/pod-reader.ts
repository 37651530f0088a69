import { Chart } from 'cdk8s';
import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import type { Labels } from './kube';
import { kubeObject } from './kube';
import { Problems } from './validation';

/** Who may look at which pods. */
export interface PodReaderProps {
  /** Namespace of the pods. */
  readonly namespace: string;
  /** ServiceAccount, in the namespace of the chart. */
  readonly account: string;
  /** Put on both objects. @default - none */
  readonly labels?: Labels;
}

/**
 * Lets an account of one namespace look at the pods of another, and at nothing else there: how a program finds what it watches. A Role in each
 * namespace rather than a ClusterRole, which would show it the pods of all.
 */
export class PodReader extends Construct {
  /** @throws ValidationError with every problem of the props. */
  public constructor(scope: Construct, id: string, props: PodReaderProps) {
    super(scope, id);
    const { namespace, account, labels = {} } = props;
    const home = Chart.of(this).namespace;
    new Problems(this)
      .dnsLabel('namespace', namespace)
      .dnsSubdomain('account', account)
      .require(home !== undefined, 'the chart needs a namespace, which the account is in')
      .raise();
    const group = 'rbac.authorization.k8s.io';
    const metadata = { name: `${account}-pod-reader`, namespace, labels };
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }];
    const role: ApiObject = kubeObject(this, 'Role', 'rbac.authorization.k8s.io/v1/Role', metadata, { rules });
    const binding = kubeObject(this, 'RoleBinding', 'rbac.authorization.k8s.io/v1/RoleBinding', metadata, {
      roleRef: { apiGroup: group, kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: home ?? '' }],
    });
    binding.node.addDependency(role);
  }
}
