import type { ClusterAccess } from '../../local/index';
import { CliError, EXIT } from '../exit';
import type { Query } from './gate';

/** Where Prometheus is. */
export interface PrometheusPlace {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/** `NAMESPACE/SERVICE:PORT`. @throws CliError for anything else */
export function prometheusPlace(text: string): PrometheusPlace {
  const [, namespace = '', service = '', port] = /^([a-z0-9-]+)\/([a-z0-9-]+):(\d{1,5})$/.exec(text) ?? [];
  if (port !== undefined) return { namespace, service, port: Number(port) };
  throw new CliError(`--prometheus takes NAMESPACE/SERVICE:PORT, got '${text}'.`, EXIT.usage);
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly resultType: string;
    readonly result: readonly { readonly value: readonly [number, string] }[];
  };
}

/** Seconds for which a Prometheus that is away is asked again, before that is an answer. */
const PATIENCE_S = 5;

/** Asks Prometheus through the API server, which reaches every Service: no port is forwarded, and no address has to be public. */
export const prometheus =
  (access: Pick<ClusterAccess, 'get'>, { namespace, service, port }: PrometheusPlace): Query =>
  async (promql) => {
    const proxy = `/api/v1/namespaces/${namespace}/services/${service}:${port}/proxy`;
    const query = new URLSearchParams({ query: promql }).toString();
    const { status, error, data } = await access.get<Answer>(`${proxy}/api/v1/query?${query}`, {
      patience: PATIENCE_S,
    });
    if (status !== 'success' || data?.resultType !== 'vector') throw new CliError(error ?? `it answered '${status}'`);
    return data.result.map(({ value }) => Number(value[1]));
  };
