import { equivalent, quantity } from '../equivalence';
import { count, list, namespaceOf, nameOf, pluck, record, scalar, text } from '../objects';
import type { KubeObject } from '../objects';
import { condition, failed, READY, waiting } from './verdict';
import type { Rule, Surroundings, Verdict } from './verdict';

/** How long a custom resource's controller may take to say its first word before it counts as one that says nothing. */
const FIRST_WORD_S = 3;

const balanced = (live: KubeObject): boolean => list(live, 'status', 'loadBalancer', 'ingress').length > 0;

async function targets(live: KubeObject, { cluster, signal }: Surroundings): Promise<boolean> {
  const slices = await cluster.list(
    `/apis/discovery.k8s.io/v1/namespaces/${namespaceOf(live)}/endpointslices`,
    { labelSelector: `kubernetes.io/service-name=${nameOf(live)}` },
    signal === undefined ? {} : { signal },
  );
  // Ready or not: readiness is the workload's own matter, and waiting for it here could wait for what waits for us.
  return slices.some((slice) => list(slice, 'endpoints').length > 0);
}

export const service: Rule = async (live, surroundings) => {
  const type = text(live, 'spec', 'type');
  if (type === 'ExternalName') return READY;
  const headless = text(live, 'spec', 'clusterIP') === 'None';
  const selects = Object.keys(record(live, 'spec', 'selector')).length > 0;
  if (selects && !headless && !(await targets(live, surroundings))) {
    return waiting('waiting for pods that the selector matches');
  }
  return type === 'LoadBalancer' && !balanced(live) ? waiting('waiting for a load balancer address') : READY;
};

export const ingress: Rule = (live) =>
  balanced(live) ? READY : waiting('waiting for an ingress controller to publish an address');

/** Whether a bound claim has the size that it asks for. */
function grown(live: KubeObject): Verdict {
  const [wanted, has] = [
    quantity(pluck(live, 'spec', 'resources', 'requests', 'storage')),
    quantity(pluck(live, 'status', 'capacity', 'storage')),
  ];
  if (wanted === undefined || has === undefined || has >= wanted) return READY;
  if (text(live, 'status', 'allocatedResourceStatuses', 'storage')?.endsWith('Infeasible') === true) {
    const problem = condition(live, 'ControllerResizeError') ?? condition(live, 'NodeResizeError');
    return failed(`the volume can't grow: ${problem?.message ?? 'its driver says that it is not possible'}`);
  }
  // The file system follows where a pod uses it, which may be later than this.
  if (condition(live, 'FileSystemResizePending')?.status === 'True') return READY;
  const sizes = [pluck(live, 'status', 'capacity', 'storage'), pluck(live, 'spec', 'resources', 'requests', 'storage')];
  return waiting(`waiting for the volume to grow from ${sizes.map(scalar).join(' to ')}`);
}

export const persistentVolumeClaim: Rule = async (live, { cluster, signal }) => {
  const phase = text(live, 'status', 'phase');
  if (phase === 'Bound') return grown(live);
  if (phase === 'Lost') return failed('the volume of the claim is lost');
  const name = text(live, 'spec', 'storageClassName');
  if (phase === 'Pending' && name !== undefined && name !== '') {
    const gvk = { group: 'storage.k8s.io', version: 'v1', kind: 'StorageClass' };
    const storageClass = await cluster.get(gvk, '', name, signal === undefined ? {} : { signal });
    // Bound once a pod uses it, which this update may bring later.
    if (text(storageClass, 'volumeBindingMode') === 'WaitForFirstConsumer') return READY;
    if (storageClass === undefined) return waiting(`waiting for StorageClass ${name}, which does not exist`);
  }
  return waiting('waiting for a volume');
};

export const persistentVolume: Rule = (live) => {
  const phase = text(live, 'status', 'phase');
  if (phase === 'Failed') return failed(text(live, 'status', 'message') ?? 'the volume failed');
  return phase === 'Available' || phase === 'Bound' ? READY : waiting('waiting for the volume');
};

export const namespace: Rule = (live) =>
  text(live, 'status', 'phase') === 'Active' ? READY : waiting('waiting for the namespace');

export const resourceQuota: Rule = (live) =>
  equivalent(record(live, 'spec', 'hard'), record(live, 'status', 'hard'), ['hard'])
    ? READY
    : waiting('waiting for the quota controller');

export const secret: Rule = (live) =>
  text(live, 'type') !== 'kubernetes.io/service-account-token' || Object.keys(record(live, 'data')).length > 0
    ? READY
    : waiting('waiting for a token');

export const definition: Rule = (live) => {
  const names = condition(live, 'NamesAccepted');
  if (names?.status === 'False') return failed(`${names.reason}: ${names.message}`);
  return condition(live, 'Established')?.status === 'True' ? READY : waiting('waiting to be served');
};

export const apiService: Rule = (live) => {
  const available = condition(live, 'Available');
  return available?.status === 'True' ? READY : waiting(available?.message ?? 'waiting for the API service');
};

/** Custom resources: their `Ready` condition, where their controller keeps one. */
export const custom: Rule = (live, { elapsed }) => {
  const observed = count(live, 'status', 'observedGeneration');
  if (observed !== undefined && observed < (count(live, 'metadata', 'generation') ?? 0)) {
    return waiting('waiting for its controller');
  }
  const ready = condition(live, 'Ready');
  if (ready !== undefined) {
    if (ready.status === 'True') return READY;
    return waiting([ready.reason, ready.message].filter((part) => part !== '').join(': ') || 'not ready');
  }
  return elapsed < FIRST_WORD_S && pluck(live, 'status') === undefined ? waiting('waiting for its controller') : READY;
};

/** One expression of `pulumi.com/waitFor`: `condition=Type[=Value]` or `jsonpath={.a.b}[=value]`. */
export function expression(source: string): Rule | undefined {
  const [, type, wanted = 'True'] = /^condition=([^=]+)(?:=(.*))?$/.exec(source) ?? [];
  if (type !== undefined) {
    return (live) => {
      const found = condition(live, type);
      if (found?.status.toLowerCase() === wanted.toLowerCase()) return READY;
      return waiting(`condition ${type} is ${found?.status || 'not set'}${found?.message ? `: ${found.message}` : ''}`);
    };
  }
  const [, path, value] = /^jsonpath=\{?\.?([\w.[\]'-]+?)\}?(?:=(.*))?$/.exec(source) ?? [];
  if (path === undefined) return undefined;
  const steps = path.replace(/\[(\d+|'[^']*')\]/g, (_, step: string) => `.${step.replaceAll("'", '')}`).split('.');
  return (live) => {
    const found = pluck(live, ...steps.filter((step) => step !== ''));
    const reached = value === undefined ? found !== undefined : scalar(found) === value;
    return reached ? READY : waiting(`${path} is ${scalar(found)}${value === undefined ? '' : `, not ${value}`}`);
  };
}
