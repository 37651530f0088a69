import type { Loki } from './loki';

/** Folders of the node that it reads: links by pod and container, and the files that they lead to. */
export const LOG_FOLDERS = ['/var/log/containers', '/var/log/pods'] as const;
/** Where it writes down how far it has read. */
export const STATE = '/fluent-bit/state';
/** Port on which it answers probes. */
export const HTTP_PORT = 2020;

/**
 * `fluent-bit.yaml`: lines of the given namespaces, as they were written, which is JSON. Namespace and container are labels, since there are
 * few; pods come and go, so theirs is beside the line.
 */
export const collectorConfiguration = ({ host, port }: Pick<Loki, 'host' | 'port'>, namespaces: readonly string[]) => ({
  service: { flush: 2, grace: 10, log_level: 'warn', http_server: 'on', http_listen: '0.0.0.0', http_port: HTTP_PORT },
  parsers: [
    {
      name: 'container-file',
      format: 'regex',
      regex: '^/var/log/containers/(?<pod>[^_]+)_(?<namespace>[^_]+)_(?<container>.+)-[0-9a-f]{64}\\.log$',
    },
  ],
  pipeline: {
    inputs: [
      {
        name: 'tail',
        tag: 'container',
        path: namespaces.map((namespace) => `${LOG_FOLDERS[0]}/*_${namespace}_*.log`).join(','),
        path_key: 'file',
        'multiline.parser': 'cri',
        // A new pod starts from the beginning: Loki drops a line that it has already, and nothing is lost in between.
        db: `${STATE}/positions.db`,
        read_from_head: 'true',
        refresh_interval: 5,
        skip_long_lines: 'on',
        // Beyond it reading waits, and the lines stay in their files.
        mem_buf_limit: '16M',
      },
    ],
    filters: [{ name: 'parser', match: 'container', key_name: 'file', parser: 'container-file', reserve_data: 'on' }],
    outputs: [
      {
        name: 'loki',
        match: 'container',
        ...{ host, port },
        labels: 'job=fluent-bit, namespace=$namespace, container=$container',
        structured_metadata: 'pod=$pod, stream=$stream',
        remove_keys: 'namespace,container,pod,stream,time,_p',
        drop_single_key: 'raw',
        line_format: 'json',
        retry_limit: 'no_limits',
      },
    ],
  },
});
