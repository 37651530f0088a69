import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloneId } from '../paths';

/** The control group of this clone's pods, in every hierarchy. */
export const CGROUP = `/trellis-${cloneId}`;

interface Hierarchy {
  readonly point: string;
  readonly version: 1 | 2;
}

/** Every control group hierarchy: one for version 2, one per controller for version 1, or both kinds at once. */
const hierarchies = (): readonly Hierarchy[] =>
  fs
    .readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === 'cgroup' || fields[2] === 'cgroup2')
    .map((fields) => ({ point: fields[1] ?? '', version: fields[2] === 'cgroup' ? 1 : 2 }));

/** The ones whose controllers limit pods: beside version 1, the version 2 hierarchy ("unified") has none. */
function limiting(): readonly Hierarchy[] {
  const all = hierarchies();
  const first = all.filter(({ version }) => version === 1);
  return first.length > 0 ? first : all;
}

/** A new cpuset of version 1 is empty, and then no process may enter it. */
function copyCpuset(group: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const own = path.join(group, file);
    if (!fs.existsSync(own) || fs.readFileSync(own, 'utf8').trim() !== '') continue;
    fs.writeFileSync(own, fs.readFileSync(path.join(group, '..', file)));
  }
}

/** A group of version 2 has the controllers that its parent hands down. */
function handDown(group: string): void {
  const offered = fs.readFileSync(path.join(group, 'cgroup.controllers'), 'utf8').trim().split(' ');
  for (const controller of offered.filter((name) => name !== '')) {
    try {
      fs.writeFileSync(path.join(group, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // The kubelet names what it lacks.
    }
  }
}

export function ensureCgroups(): void {
  for (const { point, version } of limiting()) {
    const group = path.join(point, CGROUP);
    fs.mkdirSync(group, { recursive: true });
    if (version === 1) copyCpuset(group);
    else [point, group].forEach(handDown);
  }
}

/** Every group under ours, children first. */
function groups(): string[] {
  const walk = (group: string): string[] =>
    fs
      .readdirSync(group, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => walk(path.join(group, entry.name)))
      .concat(group);
  return hierarchies()
    .map(({ point }) => path.join(point, CGROUP))
    .filter((group) => fs.existsSync(group))
    .flatMap(walk);
}

/** Every process of the clone's pods. */
export function podProcesses(): readonly number[] {
  const pids = groups().flatMap((group) => {
    try {
      return fs.readFileSync(path.join(group, 'cgroup.procs'), 'utf8').split('\n');
    } catch {
      return []; // removed meanwhile
    }
  });
  return [...new Set(pids.filter((pid) => pid !== '').map(Number))];
}

/** Removes the groups; their processes must have ended. @returns those that could not be removed */
export async function removeCgroups(): Promise<readonly string[]> {
  for (let attempt = 0; attempt < 20 && groups().length > 0; attempt += 1) {
    for (const group of groups()) {
      try {
        fs.rmdirSync(group);
      } catch {
        // Busy for a moment after its last process has ended.
      }
    }
    if (groups().length > 0) await sleep(100);
  }
  return groups();
}
