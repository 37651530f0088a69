/** Role that replicas copy and follow their primary as. */
export const REPLICATION_ROLE = 'replicator';
/** Role of the metrics exporter: it reads statistics, and rows of nothing. */
export const MONITORING_ROLE = 'monitoring';

/** What decides who may connect. */
export interface DatabaseAccess {
  readonly tls: boolean;
  readonly replicas: boolean;
  readonly metrics: boolean;
}

/** The text of `pg_hba.conf`: the first line that fits a connection decides, and what fits none is refused. */
export function pgHbaConf({ tls, replicas, metrics }: DatabaseAccess): string {
  const host = tls ? 'hostssl' : 'host';
  const rules: readonly (readonly [string, boolean, readonly string[]])[] = [
    [
      'The socket has mode 0700: only this container can open it.',
      true,
      ['local all all trust', 'local replication all trust'],
    ],
    ['The superuser comes in by the socket alone.', true, ['host all postgres all reject']],
    ['Replicas.', replicas, [`${host} replication ${REPLICATION_ROLE} all scram-sha-256`]],
    [
      'The exporter, within the pod.',
      metrics,
      ['127.0.0.1/32', '::1/128'].map((address) => `host all ${MONITORING_ROLE} ${address} scram-sha-256`),
    ],
    ['Roles for one purpose only.', true, [`host all ${REPLICATION_ROLE},${MONITORING_ROLE} all reject`]],
    [tls ? 'Everybody else, over TLS.' : 'Everybody else.', true, [`${host} all all all scram-sha-256`]],
  ];
  return rules
    .flatMap(([why, there, lines]) => (there ? [`# ${why}`, ...lines] : []))
    .join('\n')
    .concat('\n');
}
