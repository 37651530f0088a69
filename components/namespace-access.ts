import { Construct } from 'constructs';
import type { Kinds } from './kube';
import { kubeObject } from './kube';
import { Problems } from './validation';

/** Who among people may do what in a namespace. Groups are those of the cluster's identity provider. */
export interface NamespaceAccessProps {
  /** Groups that may look at everything but Secrets, logs included. @default - none, and no role for them */
  readonly viewers?: readonly string[];
  /** Groups that may also scale workloads and have pods made anew. @default - none, and no role for them */
  readonly operators?: readonly string[];
}

type Rule = Kinds['rbac.authorization.k8s.io/v1/Role']['rules'][number];

const LOOK = ['get', 'list', 'watch'];
const look = (apiGroup: string, ...resources: readonly string[]): Rule => ({
  apiGroups: [apiGroup],
  resources,
  verbs: LOOK,
});

// Named one by one: a wildcard would take in Secrets, and every kind that a later version brings.
const VIEWER: readonly Rule[] = [
  look(
    '',
    ...['configmaps', 'endpoints', 'events', 'limitranges', 'persistentvolumeclaims', 'pods', 'pods/log'],
    ...['resourcequotas', 'serviceaccounts', 'services'],
  ),
  look('apps', 'deployments', 'replicasets', 'statefulsets'),
  look('autoscaling', 'horizontalpodautoscalers'),
  look('batch', 'cronjobs', 'jobs'),
  look('discovery.k8s.io', 'endpointslices'),
  look('events.k8s.io', 'events'),
  look('metrics.k8s.io', 'pods'),
  look('networking.k8s.io', 'ingresses', 'networkpolicies'),
  look('policy', 'poddisruptionbudgets'),
];

// Neither exec nor attach, nor the right to make pods or Jobs or to patch a workload: each is a way to the Secrets that pods mount.
const OPERATOR: readonly Rule[] = [
  ...VIEWER,
  { apiGroups: [''], resources: ['pods'], verbs: ['delete'] },
  { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  { apiGroups: ['apps'], resources: ['deployments/scale', 'statefulsets/scale'], verbs: ['get', 'patch', 'update'] },
];

/**
 * Roles for people in the namespace of the chart, bound to groups. Pods have no part in it: their accounts have no rights at all.
 * Nobody gets Secrets, a shell in a pod, or the right to change a workload's pods; that goes through the definition.
 */
export class NamespaceAccess extends Construct {
  public readonly viewers: readonly string[];
  public readonly operators: readonly string[];

  /** @throws ValidationError with every problem of the props. */
  public constructor(scope: Construct, id: string, props: NamespaceAccessProps = {}) {
    super(scope, id);
    this.viewers = props.viewers ?? [];
    this.operators = props.operators ?? [];
    const problems = new Problems(this);
    for (const [prop, groups] of Object.entries({ viewers: this.viewers, operators: this.operators })) {
      for (const [index, group] of groups.entries()) {
        problems
          .require(
            /^[^\s\p{C}]{1,253}$/u.test(group),
            `${prop}: '${group}' is not the name of a group (no blanks, at most 253 characters)`,
          )
          // Everybody, and the API server itself: no group of people.
          .require(!group.startsWith('system:'), `${prop}: '${group}' belongs to the cluster`)
          .require(groups.indexOf(group) === index, `${prop} names '${group}' twice`);
      }
    }
    problems.raise();
    this.addRole('Viewer', 'viewer', VIEWER, this.viewers);
    this.addRole('Operator', 'operator', OPERATOR, this.operators);
  }

  private addRole(id: string, name: string, rules: readonly Rule[], groups: readonly string[]): void {
    if (groups.length === 0) return;
    kubeObject(this, `${id}Role`, 'rbac.authorization.k8s.io/v1/Role', { name }, { rules });
    const apiGroup = 'rbac.authorization.k8s.io';
    kubeObject(
      this,
      `${id}Binding`,
      'rbac.authorization.k8s.io/v1/RoleBinding',
      { name },
      {
        roleRef: { apiGroup, kind: 'Role', name },
        subjects: groups.map((group) => ({ apiGroup, kind: 'Group', name: group })),
      },
    );
  }
}
