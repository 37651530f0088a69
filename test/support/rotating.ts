import type { NetworkPolicyPeer, PodSpec } from '../../components/kube';
import { find, inventory } from './synth';
import type { newChart } from './synth';

type TestChart = ReturnType<typeof newChart>;

/** The first Job of a chart. */
export const jobOf = (chart: TestChart) => {
  const [name = ''] = inventory(chart).filter((one) => one.startsWith('Job/'));
  return find(chart, 'batch/v1/Job', name.replace('Job/', ''));
};

/** Variables of a pod's first container. */
export const envOf = (pod: PodSpec): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries((pod.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));

/** Pods of a component in the namespace `shop`, as policies name them. */
export const peerOf = (name: string): NetworkPolicyPeer => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
  podSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
});
