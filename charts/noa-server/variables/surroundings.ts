import type { Category } from '../../variables';
import { connected, derived, maybeConnected, setting, VariableType } from '../../variables';
import { ALL, FLOW, FRONT, MCP, PATH, UI } from './services';

const { choice, flag, integer, line, list, path, text, url } = VariableType;
const seconds = integer(1, 86_400);

export const application: Category = {
  name: 'Application',
  variables: [
    derived('SERVICE_NAME', choice(...ALL), ALL, 'Name of the service in logs and metrics'),
    derived('APP_ENV', choice('development', 'staging', 'production'), ALL, 'Environment that the service runs in'),
    setting(
      'NODE_ENV',
      choice('development', 'production'),
      'production',
      ALL,
      'What Node.js and its libraries optimise for',
    ),
    setting(
      'TZ',
      text(/^[A-Z][A-Za-z_]*(\/[A-Z][A-Za-z_]*)*$/, 'a time zone such as UTC or Europe/Berlin'),
      'UTC',
      ALL,
      'Time zone of the process',
    ),
    setting('LANG', choice('C.UTF-8', 'POSIX'), 'C.UTF-8', ALL, 'Locale of the process; others are not in the images'),
    derived('DATA_DIR', path(), MCP, 'Folder on the service’s volume'),
    setting('UI_TITLE', line(1, 60), 'Noa', UI, 'Title of the pages'),
    setting('UI_THEME', choice('light', 'dark', 'auto'), 'auto', UI, 'Colours of the pages'),
    setting('UI_REFRESH_SECONDS', integer(1, 3600), '10', UI, 'How often an open page asks for news'),
    setting('FEATURE_COMPLETIONS', flag(), 'true', FRONT, 'Whether completions are offered to users'),
    setting('FEATURE_AGENTS', flag(), 'true', FRONT, 'Whether agents are offered to users'),
  ],
};

export const network: Category = {
  name: 'Network',
  variables: [
    derived('PORT', integer(1024, 65_535), ALL, 'Port that the service listens on'),
    derived('PUBLIC_URL', url('https'), FRONT, 'Address under which users reach the system'),
    connected('MCP_URL', url('http'), UI, 'Address of MCP'),
    connected('CLAUDE_FLOW_URL', url('http'), MCP, 'Address of Claude Flow'),
    connected('AGENTIC_OS_URL', url('http'), FLOW, 'Address of AgenticOS'),
    derived('COMPLETION_URL', url('http'), FRONT, 'Service that a completion goes on to'),
    setting(
      'CORS_ORIGINS',
      list(/^https:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/, 'origins such as https://app.example.com'),
      '',
      FRONT,
      'Origins, beside its own, whose pages may call the service',
    ),
    setting('TRUSTED_PROXY_HOPS', integer(0, 10), '1', FRONT, 'Proxies in front whose X-Forwarded-For is believed'),
    setting('REQUEST_TIMEOUT_SECONDS', seconds, '60', ALL, 'Longest request but a completion'),
    setting('MAX_BODY_KIB', integer(1, 1_048_576), '1024', FRONT, 'Largest body of a request'),
    setting('UPSTREAM_RETRIES', integer(0, 10), '2', PATH, 'How often a read from another service is tried again'),
    derived(
      'SHUTDOWN_DELAY_SECONDS',
      integer(0, 600),
      ALL,
      'Time that a stopping service still takes requests; the pod has waited already',
    ),
    derived('SHUTDOWN_GRACE_SECONDS', integer(1, 3600), ALL, 'Time for running requests after the signal to stop'),
  ],
};

export const observability: Category = {
  name: 'Observability',
  variables: [
    setting('LOG_LEVEL', choice('debug', 'info', 'warn', 'error'), 'info', ALL, 'Least severity that is logged'),
    setting('LOG_FORMAT', choice('json', 'text'), 'json', ALL, 'Form of a line; collectors expect json'),
    setting(
      'LOG_MAX_SIZE_MB',
      integer(1, 1024),
      '10',
      ALL,
      'Size at which a log file, where a service writes one, is rotated',
    ),
    setting('LOG_MAX_FILES', integer(1, 100), '3', ALL, 'Log files that are kept'),
    setting('SLOW_REQUEST_MS', integer(1, 600_000), '1000', ALL, 'Requests that take longer are logged as slow'),
    setting('METRICS_ENABLED', flag(), 'true', ALL, 'Whether figures are offered to Prometheus'),
    setting('METRICS_PATH', path(), '/metrics', ALL, 'Where they are'),
    setting(
      'CHECK_TIMEOUT_MS',
      integer(50, 4000),
      '1500',
      ALL,
      'Time for one back end in a readiness check; the probe gives up after 5 s',
    ),
    setting('TRACING_SAMPLE_RATIO', VariableType.number(0, 1), '0', ALL, 'Part of the requests that are traced'),
    maybeConnected('OTEL_EXPORTER_OTLP_ENDPOINT', url('http'), ALL, 'Collector that spans are sent to'),
  ],
};
