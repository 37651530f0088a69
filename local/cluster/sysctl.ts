import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeAtomic } from '../process';
import type { Layout } from './layout';

/** What a kubelet sets on its machine, whether asked to or not, and to which value (kubelet 1.34, `setupKernelTunables`). */
const TUNABLES: Readonly<Record<string, string>> = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

const fileOf = (layout: Layout): string => path.join(layout.dir, 'sysctl.json');
const valueOf = (key: string): string => fs.readFileSync(`/proc/sys/${key}`, 'utf8').trim();

/** Remembers the machine's own values, before a kubelet starts. */
export function rememberTunables(layout: Layout): void {
  if (fs.existsSync(fileOf(layout))) return;
  const values = Object.fromEntries(Object.keys(TUNABLES).map((key) => [key, valueOf(key)]));
  writeAtomic(fileOf(layout), JSON.stringify(values));
}

/** Gives the machine its own values back, but for what somebody else has set meanwhile. */
export function restoreTunables(layout: Layout): void {
  if (!fs.existsSync(fileOf(layout))) return;
  const values = JSON.parse(fs.readFileSync(fileOf(layout), 'utf8')) as Record<string, string>;
  for (const [key, value] of Object.entries(values)) {
    if (valueOf(key) === TUNABLES[key] && value !== TUNABLES[key]) fs.writeFileSync(`/proc/sys/${key}`, value);
  }
  fs.rmSync(fileOf(layout));
}
