import { App, Chart, Duration, Size } from 'cdk8s';
import {
  AutoscaledService,
  BackupStatus,
  BackupTarget,
  CachePersistence,
  CacheStore,
  CacheTopology,
  Canary,
  collectMonitoring,
  DatabaseBackend,
  DatabaseEngine,
  EvictionPolicy,
  GpuInferenceDeployment,
  GpuRequest,
  InferenceServer,
  ModelSource,
  ServiceMetrics,
  StatefulDatabase,
  type MonitoredComponent,
} from '../../components';
import { CliError } from '../exit';

/** Namespace of the samples. */
export const NAMESPACE = 'shop';

const IMAGE = 'registry.example.com/shop/image:1';
const PASSWORD = 'only-a-sample';
const OTHER_PASSWORD = 'another-sample';
const metrics = { image: IMAGE };

/** What a sample is, for the page of alerts. */
export interface Sample {
  readonly name: string;
  readonly title: string;
  readonly component: MonitoredComponent;
}

type Build = (chart: Chart, name: string) => void;

const cache =
  (props: Partial<ConstructorParameters<typeof CacheStore>[2]>): Build =>
  (chart, name) =>
    void new CacheStore(chart, name, { image: IMAGE, password: PASSWORD, metrics, ...props });

const inference =
  (server: InferenceServer): Build =>
  (chart, name) =>
    void new GpuInferenceDeployment(chart, name, {
      ...{ image: IMAGE, server, apiKey: `${PASSWORD}-of-a-model` },
      gpu: GpuRequest.nvidia(1),
      model: ModelSource.baked('/models/model'),
      modelSize: Size.gibibytes(4),
    });

/** One of each kind that has rules of its own. */
const BUILDS: readonly (readonly [name: string, title: string, build: Build])[] = [
  [
    'database',
    'StatefulDatabase with read replicas',
    (chart, name) =>
      void new StatefulDatabase(chart, name, {
        engine: DatabaseEngine.postgres('15', { image: IMAGE }),
        ...{ password: PASSWORD, replicationPassword: OTHER_PASSWORD, readReplicas: 2, metrics },
        storage: Size.gibibytes(10),
      }),
  ],
  [
    'operated',
    'StatefulDatabase of CloudNativePG',
    (chart, name) =>
      void new StatefulDatabase(chart, name, {
        engine: DatabaseEngine.postgres('15', { image: 'registry.example.com/postgresql:15.10' }),
        ...{ password: PASSWORD, readReplicas: 1 },
        backend: DatabaseBackend.cloudNativePg({ apiServer: ['198.51.100.1/32'] }),
      }),
  ],
  [
    'cache',
    'CacheStore with sentinels, kept on disk',
    cache({
      topology: CacheTopology.sentinel(),
      systemPassword: OTHER_PASSWORD,
      persistence: CachePersistence.appendOnly(Size.gibibytes(2)),
    }),
  ],
  [
    'queue',
    'CacheStore that drops nothing',
    cache({ persistence: CachePersistence.appendOnly(Size.gibibytes(2)), eviction: EvictionPolicy.NONE }),
  ],
  ['pages', 'CacheStore in memory', cache({})],
  ['sharded', 'CacheStore as a cluster', cache({ topology: CacheTopology.cluster(), systemPassword: OTHER_PASSWORD })],
  [
    'service',
    'AutoscaledService with a canary',
    (chart, name) =>
      void new AutoscaledService(chart, name, {
        image: IMAGE,
        canary: Canary.ofImage(IMAGE, { weight: 10 }),
        metrics: ServiceMetrics.prometheus({ slowRoutes: ['/api/completion'], latency: Duration.seconds(1) }),
      }),
  ],
  ['model', 'GpuInferenceDeployment with llama.cpp', inference(InferenceServer.llamaCpp())],
  ['large-model', 'GpuInferenceDeployment with vLLM', inference(InferenceServer.vllm())],
  [
    'backups',
    'BackupStatus: backups and drills',
    (chart, name) => {
      const status = new BackupStatus(chart, name, { image: IMAGE });
      const target = BackupTarget.volume(Size.gibibytes(10));
      new StatefulDatabase(chart, 'kept', {
        engine: DatabaseEngine.postgres('15', { image: IMAGE }),
        ...{ password: PASSWORD, storage: Size.gibibytes(10) },
        backup: {
          ...{ image: IMAGE, encryptionKey: 'only-a-sample-'.repeat(5), target, status },
          schedule: '@daily',
          drill: { schedule: '@weekly' },
        },
      });
    },
  ],
];

/** The samples with all that they tell, in the order of the page. */
export function samples(): readonly Sample[] {
  const chart = new Chart(new App(), 'samples', { namespace: NAMESPACE });
  for (const [name, , build] of BUILDS) build(chart, name);
  const { components } = collectMonitoring(chart);
  return BUILDS.map(([name, title]) => {
    const component = components.find(({ path }) => path === `samples/${name}`);
    if (component === undefined) throw new CliError(`the sample '${name}' tells nothing`);
    return { name, title, component };
  });
}
