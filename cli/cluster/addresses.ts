import { clusterInfo, isLocalStack, type ClusterInfo } from '../../local/index';
import { deploymentOf } from './deployment';

/** Every `https://` address among a stack's outputs, however deep; secrets are never plain text there. */
export function urlsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.startsWith('https://') ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(urlsIn);
}

/** The address with the port on which this machine's ingress listens. */
export function reachable(url: string, httpsPort: number): string {
  const parsed = new URL(url);
  if (httpsPort !== 443) parsed.port = String(httpsPort);
  return parsed.href;
}

export function addressLines(urls: readonly string[], info: ClusterInfo | undefined, stack: string): string {
  const lines = urls.flatMap((url) => {
    if (info === undefined) return [`  ${url}`];
    const here = reachable(url, info.httpsPort);
    return [`  ${here}`, `    curl --cacert ${info.caFile} ${new URL('ready', here).href}`];
  });
  const kubeconfig = info === undefined ? [] : ['', `Kubeconfig  ${info.kubeconfig}`];
  const next = [
    ['./trellis status', 'is every pod Ready?'],
    ['./trellis logs noodle-runtime -f', 'what does it say?'],
    ['eval "$(./trellis env)"', `then: pulumi preview -s ${stack}`],
    ...(info === undefined ? [] : [['./trellis down', 'ends it all; the data stays']]),
  ].map(([command = '', meaning = '']) => `  ${command.padEnd(34)}${meaning}`);
  return `\n${['Addresses', ...(lines.length === 0 ? ['  none'] : lines), ...kubeconfig, '', 'Next', ...next].join('\n')}\n`;
}

/** Where the stack answers, and what to type next. */
export async function addresses(stack: string): Promise<string> {
  const info = isLocalStack(stack, process.env) ? clusterInfo() : undefined;
  return addressLines(urlsIn((await deploymentOf(stack))?.outputs), info, stack);
}
