import * as fs from 'node:fs';
import { isAlive, readRecord } from '../process';
import { answersOk } from './https';
import { clusterInfo, clusterLayout } from './info';
import type { Layout } from './layout';
import { recordFile } from './supervise';
import * as path from 'node:path';

/** The programs of a cluster that is up. */
const PROGRAMS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'registry',
  'forwarder',
  'containerd',
  'kube-proxy',
  'network-policies',
  'kubelet',
] as const;

export interface ProgramStatus {
  readonly name: string;
  /** None where it doesn't run. */
  readonly pid: number | undefined;
  /** Resident memory in MiB. */
  readonly memory: number | undefined;
}

export interface ClusterStatus {
  /** `absent`: never made, or purged. `stopped`: data, but no program. `broken`: some programs run, or the API server doesn't answer. */
  readonly state: 'absent' | 'stopped' | 'broken' | 'running';
  readonly programs: readonly ProgramStatus[];
}

function memoryOf(pid: number): number | undefined {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  return line === null ? undefined : Math.round(Number(line[1]) / 1024);
}

/** Which of the named programs run. */
export const programsOf = (layout: Layout, names: readonly string[]): readonly ProgramStatus[] =>
  names.map((name) => {
    const record = readRecord(recordFile(layout, name));
    const pid = record !== undefined && isAlive(record) ? record.pid : undefined;
    return { name, pid, memory: pid === undefined ? undefined : memoryOf(pid) };
  });

/** Whether this clone's cluster runs, asked of its processes and of its API server through the loopback port. */
export async function clusterStatus(): Promise<ClusterStatus> {
  const layout = clusterLayout();
  const info = clusterInfo();
  const programs = programsOf(layout, PROGRAMS);
  const running = programs.filter(({ pid }) => pid !== undefined).length;
  if (running === 0) return { state: info === undefined ? 'absent' : 'stopped', programs };
  const admin = { certFile: path.join(layout.pki, 'admin.crt'), keyFile: path.join(layout.pki, 'admin.key') };
  const answers =
    info !== undefined && (await answersOk({ server: info.apiServer, caFile: info.caFile, client: admin }, '/readyz'));
  return { state: running === programs.length && answers ? 'running' : 'broken', programs };
}
