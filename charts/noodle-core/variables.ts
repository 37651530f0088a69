import type { Category } from '../variables';
import { connected, connectedSecret, derived, maybeConnected, secret, VariableType } from '../variables';

const { choice, integer, line, number, path, text, url } = VariableType;

/** Programs of NoodleCore that are told something by environment variables. */
export const SERVICES = ['noodle-runtime', 'noodle-ide', 'nginx'] as const;
const OWN = ['noodle-runtime', 'noodle-ide'];
const RUNTIME = ['noodle-runtime'];
const IDE = ['noodle-ide'];
const NGINX = ['nginx'];

/** Every environment variable of NoodleCore's programs. All follow from the definition: what a file changes has a key of its own there. */
export const VARIABLES: readonly Category[] = [
  {
    name: 'Programs',
    variables: [
      derived('SERVICE_NAME', choice(...OWN), OWN, 'Name of the program in logs and metrics'),
      derived('NOODLE_ENV', choice('development', 'staging', 'production'), OWN, 'Environment that it runs in'),
      derived('NOODLE_LOG_LEVEL', choice('DEBUG', 'INFO', 'WARNING', 'ERROR'), OWN, 'Least severity that is logged'),
      derived('NOODLE_PORT', integer(1024, 65_535), OWN, 'Port that it listens on'),
      derived('NOODLE_DATA_DIR', path(), OWN, 'Folder for files, empty at every start'),
      derived('NOODLE_CONFIG_DIR', path(), OWN, 'Folder of its configuration, read-only'),
      derived('TRACING_SAMPLE_RATIO', number(0, 1), OWN, 'Part of the requests that are traced'),
      secret('SECRET_KEY', line(16, 256), OWN, 'Signs and checks tokens'),
    ],
  },
  {
    name: 'Connections',
    variables: [
      connectedSecret('DATABASE_URL', url('postgres'), RUNTIME, 'Address of PostgreSQL, with user and password'),
      derived('DATABASE_POOL_MAX', integer(1, 20), RUNTIME, 'Connections that one pod opens at most'),
      connectedSecret('REDIS_URL', url('redis', 'rediss'), RUNTIME, 'Address of Redis, with its password'),
      maybeConnected('OTEL_EXPORTER_OTLP_ENDPOINT', url('http'), OWN, 'Collector that spans are sent to'),
      connected('NOODLE_RUNTIME_URL', url('http'), [...IDE, ...NGINX], 'Address of the runtime'),
    ],
  },
  {
    name: 'Nginx',
    variables: [
      derived('NGINX_UPSTREAM', text(/^[a-z0-9.-]+:[0-9]+$/, 'host:port'), NGINX, 'What it balances over'),
      derived('NGINX_BALANCE', choice('least_conn', 'ip_hash', 'random', 'round_robin'), NGINX, 'How it balances'),
      derived('NGINX_SERVER_NAME', text(/^[a-z0-9.-]+$/, 'a host name'), NGINX, 'Host that it answers for'),
      derived(
        'NGINX_MAX_BODY_SIZE',
        text(/^[0-9]+k$/, 'a size in KiB, such as 1024k'),
        NGINX,
        'Largest body of a request',
      ),
      derived(
        'NGINX_PROXY_TIMEOUT',
        text(/^[0-9]+s$/, 'seconds, such as 60s'),
        NGINX,
        'How long it waits for the runtime',
      ),
    ],
  },
];
