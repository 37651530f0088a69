import type { Category } from '../../variables';
import { connected, connectedSecret, derived, secret, setting, VariableType } from '../../variables';
import { AGENTS, ALL, DATA, FLOW, FRONT, MCP, PATH, UI } from './services';

const { choice, integer, line, text, url } = VariableType;
const seconds = integer(1, 86_400);

export const database: Category = {
  name: 'Database',
  variables: [
    connectedSecret('DATABASE_URL', url('postgres'), DATA, 'Address of PostgreSQL, with user and password'),
    connectedSecret(
      'READ_DATABASE_URL',
      url('postgres'),
      DATA,
      'Address for what only reads, and may be some seconds old: the replicas, or the primary where there are none',
    ),
    derived(
      'DATABASE_SEARCH_PATH',
      text(/^[a-z]+(,[a-z]+)*$/, 'schemas, separated by commas'),
      DATA,
      'Schemas that the service looks for its tables in, its own first',
    ),
    derived('DATABASE_POOL_MAX', integer(1, 20), DATA, 'Connections that one pod opens at most'),
    derived('READ_DATABASE_POOL_MAX', integer(1, 20), DATA, 'The same at the address for what only reads'),
    setting('DATABASE_POOL_MIN', integer(0, 20), '0', DATA, 'Connections that a pod keeps open'),
    setting(
      'DATABASE_POOL_IDLE_SECONDS',
      seconds,
      '30',
      DATA,
      'Idle connections above that number are closed after this time',
    ),
    setting('DATABASE_CONNECT_TIMEOUT_MS', integer(100, 60_000), '2000', DATA, 'Time for a new connection'),
    setting('DATABASE_STATEMENT_TIMEOUT_MS', integer(100, 3_600_000), '10000', DATA, 'Time for one statement'),
  ],
};

export const cache: Category = {
  name: 'Cache',
  variables: [
    connectedSecret('REDIS_URL', url('redis', 'rediss'), DATA, 'Address of Redis, with its password'),
    derived('REDIS_KEY_PREFIX', text(/^[a-z-]+:$/, 'a word and a colon'), DATA, 'Begin of every key of the service'),
    setting('REDIS_CONNECT_TIMEOUT_MS', integer(100, 60_000), '2000', DATA, 'Time for a new connection'),
    setting('REDIS_MAX_RETRIES', integer(0, 100), '10', DATA, 'How often a command is tried again after a failover'),
    setting('CACHE_TTL_SECONDS', seconds, '300', DATA, 'Life of an entry that says nothing of it'),
    setting('LOCK_TTL_SECONDS', integer(1, 3600), '30', DATA, 'Life of a lock whose holder has died'),
  ],
};

export const agents: Category = {
  name: 'Agents and inference',
  variables: [
    setting('AGENT_MAX_CONCURRENT', integer(1, 1000), '10', DATA, 'Agents that work at the same time'),
    setting('AGENT_TASK_TIMEOUT_SECONDS', seconds, '300', DATA, 'Longest task of an agent'),
    setting('AGENT_MAX_ATTEMPTS', integer(1, 100), '3', DATA, 'How often a task is tried'),
    setting('AGENT_HEARTBEAT_SECONDS', integer(1, 3600), '30', DATA, 'How often an agent says that it is there'),
    setting(
      'SWARM_TOPOLOGY',
      choice('hierarchical', 'mesh', 'ring', 'star'),
      'hierarchical',
      FLOW,
      'Who talks to whom among agents of one task',
    ),
    setting(
      'MEMORY_NAMESPACE',
      text(/^[a-z][a-z0-9-]{0,62}$/, 'a namespace of memory.namespaces'),
      'default',
      DATA,
      'Where memories go that name no other place',
    ),
    setting('MEMORY_FORGET_SECONDS', seconds, '300', AGENTS, 'How often what is over is deleted from the memory'),
    setting('MCP_MAX_SESSIONS', integer(1, 100_000), '100', MCP, 'Sessions of one pod'),
    setting('MCP_SESSION_SECONDS', seconds, '3600', MCP, 'Life of a session without traffic'),
    connected('LLAMA_CPP_URL', url('http'), FLOW, 'Address of the model server'),
    connectedSecret('LLAMA_CPP_API_KEY', line(16, 256), FLOW, 'Key that the model server asks for'),
    setting('LLM_MAX_TOKENS', integer(1, 32_768), '512', FLOW, 'Tokens of one completion at most'),
    setting('LLM_TEMPERATURE', VariableType.number(0, 2), '0.7', FLOW, 'How freely the model chooses'),
    derived('LLM_TIMEOUT_SECONDS', integer(1, 3600), PATH, 'Time for a completion at this service and all behind it'),
  ],
};

export const security: Category = {
  name: 'Security',
  variables: [
    secret('SECRET_KEY', line(16, 256), ALL, 'Signs and checks tokens; the same for all services'),
    secret('ENCRYPTION_KEY', line(32, 256), DATA, 'Encrypts what is kept of other systems’ credentials'),
    setting('JWT_ISSUER', text(/^[a-z][a-z0-9.-]{0,62}$/, 'a name'), 'noa-server', ALL, 'Issuer of tokens'),
    setting('JWT_LIFETIME_SECONDS', seconds, '3600', UI, 'Life of a token'),
    setting('SESSION_LIFETIME_SECONDS', integer(60, 2_592_000), '86400', UI, 'Life of a browser’s session'),
    setting('SESSION_COOKIE_SAMESITE', choice('strict', 'lax'), 'lax', UI, 'When a browser sends the session’s cookie'),
    setting(
      'LOGIN_MAX_ATTEMPTS',
      integer(1, 100),
      '5',
      UI,
      'Failed logins in a row before an account is locked for a while',
    ),
    setting('PASSWORD_MIN_LENGTH', integer(8, 128), '12', UI, 'Least length of a user’s password'),
    setting('RATE_LIMIT_PER_MINUTE', integer(1, 1_000_000), '600', FRONT, 'Requests of one user'),
  ],
};
