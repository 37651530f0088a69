import { Size } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { Cpu } from 'cdk8s-plus-28';
import type { NamespaceQuota } from '../components/namespace-quota';
import { cpuMillis, sizeBytes } from '../components/units';

/** Pods of one kind, and how many of them may run at once. */
export interface QuotaPart {
  readonly resources: ContainerResources;
  /** Autoscaler's maximum, with the extra pods of a rollout. */
  readonly pods: number;
}

/** Room for pods that nobody planned, such as one to debug with: a quarter. */
const HEADROOM = 1.25;
const MEBIBYTE = 1024 ** 2;

/**
 * A quota that holds the sum of its parts and a quarter more, so that neither an autoscaler nor a rollout stops half-way,
 * and a mistake does not take the whole cluster.
 */
export function quotaFor(parts: readonly QuotaPart[], volumes: readonly Size[], loadBalancers: number): NamespaceQuota {
  const total = (amount: (resources: ContainerResources) => number): number =>
    Math.ceil(parts.reduce((sum, part) => sum + part.pods * amount(part.resources), 0) * HEADROOM);
  const cpu = (side: 'request' | 'limit'): Cpu =>
    Cpu.millis(total(({ cpu: amounts }) => (amounts?.[side] === undefined ? 0 : cpuMillis(amounts[side]))));
  const memory = (side: 'request' | 'limit'): Size =>
    Size.mebibytes(
      Math.ceil(
        total(({ memory: amounts }) => (amounts?.[side] === undefined ? 0 : sizeBytes(amounts[side]))) / MEBIBYTE,
      ),
    );
  return {
    compute: {
      cpu: { request: cpu('request'), limit: cpu('limit') },
      memory: { request: memory('request'), limit: memory('limit') },
    },
    pods: Math.ceil(parts.reduce((sum, part) => sum + part.pods, 0) * HEADROOM) + 2,
    persistentVolumeClaims: volumes.length + 2,
    storage: Size.mebibytes(Math.ceil((volumes.reduce((sum, size) => sum + sizeBytes(size), 0) * HEADROOM) / MEBIBYTE)),
    loadBalancers,
  };
}
