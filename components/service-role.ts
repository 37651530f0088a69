import type { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import { Chart } from 'cdk8s';
import type { HttpSettings } from './http-settings';
import { isCidr } from './http-settings';
import type { Kinds, NetworkPolicyPeer } from './kube';
import { kubeObject } from './kube';
import type { Problems } from './validation';

type PolicyRule = Kinds['rbac.authorization.k8s.io/v1/Role']['rules'][number];

/** What may be done to an object. */
export enum Verb {
  GET = 'get',
  LIST = 'list',
  WATCH = 'watch',
  CREATE = 'create',
  UPDATE = 'update',
  PATCH = 'patch',
  DELETE = 'delete',
}

/** Objects of the service's own namespace. */
export interface AccessRuleOptions {
  /** Plural names, such as `configmaps` or `deployments/scale`. */
  readonly resources: readonly string[];
  /** API group, such as `apps`. @default - the core group, that of ConfigMaps and pods */
  readonly group?: string;
  /** Names of the only objects that it holds for. @default - every object of the resources */
  readonly names?: readonly string[];
}

// Each is a way to more rights than the rule itself gives: to the Secrets that pods mount, to a shell, to another account.
const FORBIDDEN: Readonly<Record<string, string>> = {
  '*': 'a wildcard takes in Secrets, and every kind that a later version brings',
  'pods/exec': 'it is a shell in every pod',
  'pods/attach': 'it is a shell in every pod',
  'pods/ephemeralcontainers': 'it is a shell in every pod',
  'serviceaccounts/token': 'it makes a token of any account',
  roles: 'who writes roles gives rights to itself',
  rolebindings: 'who binds roles gives rights to itself',
};
const READING: readonly Verb[] = [Verb.GET, Verb.LIST, Verb.WATCH];
/** Resources that carry a pod template: who writes one runs pods as any account and with any Secret of the namespace. */
const POD_MAKERS = /^(pods|deployments|replicasets|statefulsets|daemonsets|jobs|cronjobs|replicationcontrollers)$/;

/** One right: verbs on resources. */
export class AccessRule {
  /** Looking at objects and following their changes. */
  public static read(options: AccessRuleOptions): AccessRule {
    return new AccessRule(READING, options);
  }

  /** The given verbs and no other. */
  public static allow(verbs: readonly Verb[], options: AccessRuleOptions): AccessRule {
    return new AccessRule(verbs, options);
  }

  private constructor(
    private readonly verbs: readonly Verb[],
    private readonly options: AccessRuleOptions,
  ) {}

  /** @internal */
  public get _rule(): PolicyRule {
    const { group = '', resources, names } = this.options;
    return {
      apiGroups: [group],
      resources,
      verbs: this.verbs,
      ...(names === undefined ? {} : { resourceNames: names }),
    };
  }

  /** @internal */
  public _check(problems: Problems): void {
    const { group = '', resources, names } = this.options;
    const what = `role: ${resources.join(', ')}`;
    problems
      .require(resources.length > 0, 'role: a rule names at least one resource')
      .require(this.verbs.length > 0, `${what}: a rule names at least one verb`)
      .require(names === undefined || names.length > 0, `${what}: without a name the rule would hold for every object`)
      .dnsSubdomain(`${what}: the group`, group === '' ? undefined : group);
    for (const resource of resources) this.checkResource(problems, resource);
    for (const name of names ?? []) problems.dnsSubdomain(`${what}: the name`, name);
    problems.require(
      names === undefined || !this.verbs.includes(Verb.CREATE),
      `${what}: create holds for no names, since an object has none before it is made`,
    );
  }

  private checkResource(problems: Problems, resource: string): void {
    const reason = Object.hasOwn(FORBIDDEN, resource) ? FORBIDDEN[resource] : undefined;
    const { names } = this.options;
    const writes = this.verbs.some((verb) => !READING.includes(verb) && verb !== Verb.DELETE);
    problems
      .require(
        reason !== undefined || /^[a-z][a-z0-9]*(\/[a-z]+)?$/.test(resource),
        `role: '${resource}' is not a plural name such as configmaps or deployments/scale`,
      )
      .require(reason === undefined, `role: '${resource}' is refused: ${reason ?? ''}`)
      .require(
        resource !== 'secrets' || (names !== undefined && this.verbs.every((verb) => verb === Verb.GET)),
        'role: secrets may be read one by one only: Verb.GET with names',
      )
      .require(
        !(POD_MAKERS.test(resource) && writes),
        `role: writing ${resource} is refused: pods made that way may run as any account and mount any Secret`,
      );
  }
}

/** How the pods reach the API server. */
export interface ServiceRoleOptions {
  /**
   * Addresses (CIDR) of the API server, which is behind no label that a NetworkPolicy could name.
   * @default - every address, on the ports alone
   */
  readonly apiServer?: readonly string[];
  /** Ports of its Service and of itself: policies are judged before or after the one becomes the other. @default [443, 6443] */
  readonly ports?: readonly number[];
}

/** Peers and ports of the API server, for the policy of pods that ask it. */
export function apiServerEdges(
  options: ServiceRoleOptions = {},
): readonly { readonly peer: NetworkPolicyPeer; readonly port: number }[] {
  const { apiServer = ['0.0.0.0/0', '::/0'], ports = [443, 6443] } = options;
  return apiServer.flatMap((cidr) => ports.map((port) => ({ peer: { ipBlock: { cidr } }, port })));
}

/** What a service may do at the API server, in its own namespace: without one its pods have no token and no way there. */
export class ServiceRole {
  /** The given rights and no other. */
  public static of(rules: readonly AccessRule[], options: ServiceRoleOptions = {}): ServiceRole {
    return new ServiceRole(rules, options);
  }

  private constructor(
    private readonly rules: readonly AccessRule[],
    private readonly options: ServiceRoleOptions,
  ) {}

  /** Peers and ports of the API server. @internal */
  public get _edges(): readonly { readonly peer: NetworkPolicyPeer; readonly port: number }[] {
    return apiServerEdges(this.options);
  }

  /** Adds the Role, bound to the account of the service. @internal */
  public _add(scope: Construct, { account, labels }: HttpSettings): ApiObject {
    const group = 'rbac.authorization.k8s.io';
    const metadata = { name: account, labels };
    const { namespace } = Chart.of(scope);
    const rules = this.rules.map((rule) => rule._rule);
    const role = kubeObject(scope, 'Role', 'rbac.authorization.k8s.io/v1/Role', metadata, { rules });
    const binding = kubeObject(scope, 'RoleBinding', 'rbac.authorization.k8s.io/v1/RoleBinding', metadata, {
      roleRef: { apiGroup: group, kind: 'Role', name: account },
      subjects: [{ kind: 'ServiceAccount', name: account, ...(namespace === undefined ? {} : { namespace }) }],
    });
    binding.node.addDependency(role);
    return binding;
  }

  /** @internal */
  public _check(problems: Problems): void {
    problems.require(this.rules.length > 0, 'role: it names at least one rule; without a role the pods have no token');
    for (const rule of this.rules) rule._check(problems);
    for (const cidr of this.options.apiServer ?? []) {
      problems.require(isCidr(cidr), `role: '${cidr}' is not a range of addresses such as 10.0.0.1/32`);
    }
    for (const port of this.options.ports ?? []) problems.port('role: the port', port);
  }
}
