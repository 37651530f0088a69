import type { Size } from 'cdk8s';
import type { Cpu } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { countedIn, podsOf, podTotals, scalersOf } from './namespace-quota';
import { cpuMillis, sizeBytes, sizeQuantity } from './units';
import type { Problems } from './validation';

/** What the largest node of a cluster has for pods, after what the node keeps for itself. */
export interface NodeCapacity {
  readonly cpu: Cpu;
  readonly memory: Size;
  /** Devices by the name of their extended resource, such as `nvidia.com/gpu`. @default - none */
  readonly devices?: Readonly<Record<string, number>>;
}

/** Adds what is wrong with a capacity. */
export function checkCapacity(problems: Problems, { cpu, memory, devices = {} }: NodeCapacity): void {
  problems
    .require(cpuMillis(cpu) > 0, `largestNode.cpu must be above zero, got ${cpuMillis(cpu)} m`)
    .size('largestNode.memory', memory);
  for (const [device, count] of Object.entries(devices)) {
    problems
      .require(/^[a-z0-9.-]+\/[\w.-]+$/.test(device), `largestNode.devices: '${device}' is not an extended resource`)
      .integer(`largestNode.devices['${device}']`, count, { min: 0, max: 64 });
  }
}

/** Workloads of a namespace whose pods no node can take, one sentence each: they would wait for ever. */
export function capacityProblems(scope: IConstruct, namespace: string, node: NodeCapacity): readonly string[] {
  const objects = countedIn(scope, namespace);
  const scalers = scalersOf(objects);
  return objects.flatMap((object) => {
    const pods = podsOf(object, scalers);
    if (pods === undefined) return [];
    return Object.entries(podTotals(pods.spec)).flatMap(([name, asked]) => {
      const found = name.startsWith('requests.') ? excess(name.slice('requests.'.length), asked, node) : undefined;
      return found === undefined
        ? []
        : [`largestNode: a pod of ${object.path ?? object.metadata.name} requests ${found}, so no node can take it`];
    });
  });
}

function excess(resource: string, asked: number, { cpu, memory, devices = {} }: NodeCapacity): string | undefined {
  if (resource === 'cpu') {
    return asked > cpuMillis(cpu) ? `${asked}m of cpu, and the largest node has ${cpuMillis(cpu)}m` : undefined;
  }
  if (resource === 'memory') {
    const mebibytes = Math.ceil(asked / 1024 ** 2);
    return asked > sizeBytes(memory)
      ? `${mebibytes}Mi of memory, and the largest node has ${sizeQuantity(memory)}`
      : undefined;
  }
  if (!resource.includes('/')) return undefined;
  const there = devices[resource] ?? 0;
  return asked > there ? `${asked} of ${resource}, and the largest node has ${there}` : undefined;
}
