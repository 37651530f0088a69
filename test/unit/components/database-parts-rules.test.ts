import { Duration } from 'cdk8s';
import type { DatabaseConfiguration } from '../../../components/database-configuration';
import { DatabaseEngine } from '../../../components/database-engine';
import type { DatabasePoolerOptions, PoolMode } from '../../../components/database-pooler';
import { compute } from '../../../components/pod';
import type { StatefulDatabaseProps } from '../../../components/stateful-database';
import { StatefulDatabase } from '../../../components/stateful-database';
import { minimalDatabase } from '../../support/props';
import { newChart, problemsOf } from '../../support/synth';

const problems = (props: Partial<StatefulDatabaseProps>) =>
  problemsOf(() => new StatefulDatabase(newChart(), 'postgres', { ...minimalDatabase, ...props }));
const configured = (configuration: DatabaseConfiguration) => ({ configuration });
const image = 'registry.test/pgbouncer:1.18';
const long = (length: number) => 'a'.repeat(length);
const replicated = { readReplicas: 1, replicationPassword: 'follow-the-leader' };
const pooled = (pooler: Partial<DatabasePoolerOptions>) => ({ pooler: { image, ...pooler } });

// What is wrong, the props, and the one problem that is reported.
const cases: readonly (readonly [string, Partial<StatefulDatabaseProps>, RegExp])[] = [
  [
    'a role of the component’s own',
    { username: 'replicator' },
    /^username must not be 'replicator' or 'monitoring', .* got 'replicator'/,
  ],
  [
    'half a replica',
    { readReplicas: 0.5, replicationPassword: 'follow-me' },
    /^readReplicas must be .* from 0 to 8, got 0.5/,
  ],
  ['nine replicas', { ...replicated, readReplicas: 9 }, /^readReplicas must be .* from 0 to 8, got 9/],
  ['replicas without a password', { readReplicas: 1 }, /^replicationPassword is required with read replicas/],
  [
    'a password of replicas that breaks a line',
    { ...replicated, replicationPassword: 'canary\nword' },
    /^replicationPassword must have at least 8 characters/,
  ],
  ['replicas that may never be behind', { replicaMaxLag: Duration.seconds(0) }, /^replicaMaxLag must be whole seconds/],
  [
    'a name too long for its replicas',
    { ...replicated, name: long(45) },
    /^name \(with read replicas\) must be .* at most 44 characters/,
  ],
  [
    'a name too long for its pooler',
    { ...pooled({}), name: long(49) },
    /^name \(with a pooler\) must be .* at most 48 characters/,
  ],
  ['a pooler without image', pooled({ image: '' }), /^pooler.image must be an image/],
  ['no pooler at all', pooled({ replicas: 0 }), /^pooler.replicas must be .* from 1 to 20, got 0/],
  [
    'fewer connections than poolers',
    pooled({ replicas: 4, maxServerConnections: 3 }),
    /^pooler.maxServerConnections must be .* from 4 to 5000, got 3/,
  ],
  ['a pooler without clients', pooled({ maxClientConnections: 0 }), /^pooler.maxClientConnections must be/],
  ['a pooler as root', pooled({ user: 0 }), /^pooler.user must be/],
  ['a pooler that is starved', pooled({ resources: compute([2, 1], [1, 2]) }), /^pooler.resources.cpu.request \(2 m\)/],
  [
    'a mode that is none',
    pooled({ poolMode: 'statement' as PoolMode }),
    /^pooler.poolMode must be transaction or session/,
  ],
  [
    'a pooler that takes every connection',
    { ...pooled({ maxServerConnections: 40 }), ...configured({ maxConnections: 52 }) },
    /^configuration.maxConnections \(52\) must be at least 53: the pooler's 40, and 13 for/,
  ],
  [
    'the exporter’s port',
    { metrics: { image }, engine: DatabaseEngine.postgres('15', { image, port: 9187 }) },
    /^engine.port must not be 9187/,
  ],
  [
    'a log without what replicas need',
    configured({ parameters: { wal_level: 'minimal' } }),
    /'wal_level' must be replica or logical/,
  ],
  [
    'a parameter that makes a replica',
    configured({ parameters: { primary_conninfo: 'host=elsewhere' } }),
    /'primary_conninfo' belongs to the component/,
  ],
];

test.each(cases)('%s is refused with one problem', (_what, props, expected) => {
  const found = problems(props);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
});

test('no message shows the password of replicas', () => {
  expect(problems({ ...replicated, replicationPassword: 'canary@word/!' }).join()).not.toContain('canary');
});

test('props at both ends are accepted', () => {
  expect(problems({ name: long(44), ...replicated })).toEqual([]);
  expect(problems({ name: long(48), ...pooled({ maxServerConnections: 2, replicas: 1 }) })).toEqual([]);
  expect(problems({ ...pooled({ maxServerConnections: 40 }), ...configured({ maxConnections: 53 }) })).toEqual([]);
  expect(problems({ replicationPassword: 'used-once-there-are-some' })).toEqual([]);
});
