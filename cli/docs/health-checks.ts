import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Rendered } from '../diff/compare';
import { renderStackObjects } from '../stack-program';

const PAGE = path.resolve(__dirname, '../../docs/health-checks.md');
const MARKS = ['<!-- probes -->', '<!-- end of probes -->'] as const;
const PROBES = ['startup', 'readiness', 'liveness'] as const;

interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number | string };
  readonly tcpSocket?: { readonly port: number | string };
  readonly exec?: { readonly command?: readonly string[] };
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}
type Container = { readonly name: string } & { readonly [K in (typeof PROBES)[number] as `${K}Probe`]?: Probe };
interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: { readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } } };
}

function asked({ httpGet, tcpSocket, exec }: Probe): string {
  if (httpGet !== undefined) return `\`GET ${httpGet.path ?? '/'}\` on ${httpGet.port}`;
  if (tcpSocket !== undefined) return `a connection to ${tcpSocket.port}`;
  const command = (exec?.command ?? []).join(' ').replace(/\s+/g, ' ').replaceAll('|', '\\|');
  return `\`${command.length > 80 ? `${command.slice(0, 79)}…` : command}\``;
}

// Kubernetes' own defaults, where the definition leaves them.
const numbers = ({ periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 }: Probe): readonly string[] => [
  `${periodSeconds} s`,
  `${timeoutSeconds} s`,
  String(failureThreshold),
  `${periodSeconds * failureThreshold} s`,
];

/** A table of every probe: what it asks, how often, how long it waits, and how long until it has an effect. */
export function probeTable(objects: readonly Rendered[]): string {
  const head = ['system', 'container', 'probe', 'what it asks', 'every', 'waits', 'failures', 'after'];
  const rows = objects.flatMap(({ path: at = '', manifest }) => {
    const { kind, metadata, spec } = manifest as unknown as Workload;
    if (!['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind)) return [];
    return (spec?.template?.spec?.containers ?? []).flatMap((container) =>
      PROBES.flatMap((name) => {
        const probe = container[`${name}Probe`];
        if (probe === undefined) return [];
        const where = container.name === metadata.name ? metadata.name : `${metadata.name}, ${container.name}`;
        return [[at.split('/')[0] ?? '', where, name, asked(probe), ...numbers(probe)]];
      }),
    );
  });
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** The page with the table as the definition of prod has it now. */
export async function healthChecksPage(page: string): Promise<string> {
  const [before = '', rest = ''] = page.split(MARKS[0]);
  const [, after = ''] = rest.split(MARKS[1]);
  return `${before}${MARKS[0]}\n\n${probeTable(await renderStackObjects('prod'))}\n\n${MARKS[1]}${after}`;
}

if (require.main === module) {
  void healthChecksPage(fs.readFileSync(PAGE, 'utf8')).then((page) => fs.writeFileSync(PAGE, page));
}
