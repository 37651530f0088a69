import type { RenderedObject } from '../../../bridge/render';
import type { Container } from '../../../components/kube';
import { deploymentOf, environmentOf, first, pick, renderSystem, runtimeOf, storeOf } from './platform';

let prod: readonly RenderedObject[];
beforeAll(async () => {
  prod = await renderSystem('noodle-core', 'prod');
});

const mountsOf = (container: Container): readonly string[] =>
  (container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
const computeOf = ({ resources }: Container) => ({
  cpu: [resources?.requests?.cpu, resources?.limits?.cpu],
  memory: [resources?.requests?.memory, resources?.limits?.memory],
});
const setting = (objects: readonly RenderedObject[], name: string): number => {
  const text = pick(objects, 'v1/ConfigMap', 'postgres-config').data['postgresql.conf'] ?? '';
  return Number(new RegExp(`^${name} = '?([0-9]+)`, 'm').exec(text)?.[1]);
};

describe('the runtime in prod', () => {
  it('is three pods at rest, which an autoscaler owns', () => {
    expect(runtimeOf(prod).spec.replicas).toBeUndefined();
    const { spec } = pick(prod, 'autoscaling/v2/HorizontalPodAutoscaler', 'noodle-runtime');
    expect(spec).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: 'noodle-runtime' },
      minReplicas: 3,
      maxReplicas: 9,
      metrics: [{ resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 75 } } }],
    });
  });

  it('listens on 8080 and is reached on 80, through a load balancer', () => {
    const { ports, name } = first(runtimeOf(prod));
    expect(ports).toEqual([{ name: 'http', containerPort: 8080, protocol: 'TCP' }]);
    const { spec } = pick(prod, 'v1/Service', 'noodle-runtime-service');
    expect(spec.type).toBe('LoadBalancer');
    expect(spec.ports).toEqual([{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }]);
    expect(spec.selector).toEqual({ 'app.kubernetes.io/name': name });
  });

  it('has the three probes of its description', () => {
    const { livenessProbe, readinessProbe, startupProbe } = first(runtimeOf(prod));
    expect(livenessProbe).toMatchObject({ httpGet: { path: '/health', port: 'http' }, periodSeconds: 10 });
    expect(readinessProbe).toMatchObject({ httpGet: { path: '/ready', port: 'http' }, periodSeconds: 5 });
    expect(startupProbe?.httpGet).toMatchObject({ path: '/health/startup', port: 'http' });
    // The start-up probe's budget stands for the 30 s before the first liveness question, and is no shorter.
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBeGreaterThanOrEqual(30);
  });

  it('asks for 250m and 256Mi, and gets 500m and 512Mi at most', () => {
    expect(computeOf(first(runtimeOf(prod)))).toEqual({ cpu: ['250m', '500m'], memory: ['256Mi', '512Mi'] });
  });

  it('has the environment of its description; credentials come from Secrets', () => {
    expect(environmentOf(first(runtimeOf(prod)))).toEqual({
      DATABASE_POOL_MAX: expect.stringMatching(/^[0-9]+$/) as string,
      DATABASE_URL: 'secret:postgres-secret/DATABASE_URL',
      NOODLE_CONFIG_DIR: '/app/config',
      NOODLE_DATA_DIR: '/app/data',
      NOODLE_ENV: 'production',
      NOODLE_LOG_LEVEL: 'INFO',
      NOODLE_PORT: '8080',
      REDIS_URL: 'secret:redis-secret/REDIS_URL',
      SECRET_KEY: 'secret:noodle-runtime-secret/SECRET_KEY',
      SERVICE_NAME: 'noodle-runtime',
      TRACING_SAMPLE_RATIO: '0.01',
    });
  });

  it('finds a folder for data that it may write to, and its configuration', () => {
    const container = first(runtimeOf(prod));
    expect(mountsOf(container)).toEqual(expect.arrayContaining(['/app/data', '/app/config']));
    const readOnly = (container.volumeMounts ?? []).filter((mount) => mount.readOnly === true);
    expect(readOnly.map(({ mountPath }) => mountPath)).toEqual(['/app/config']);
    const files = pick(prod, 'v1/ConfigMap', 'noodle-runtime-config').data;
    expect(JSON.parse(files['runtime.json'] ?? '')).toEqual({ environment: 'production', logging: { format: 'json' } });
  });

  it.each(['dev', 'staging', 'prod'])(
    'never opens more connections than the database of %s takes',
    async (environment) => {
      const objects = await renderSystem('noodle-core', environment);
      const pool = Number(environmentOf(first(runtimeOf(objects))).DATABASE_POOL_MAX);
      const { maxReplicas } = pick(objects, 'autoscaling/v2/HorizontalPodAutoscaler', 'noodle-runtime').spec;
      expect(pool).toBeGreaterThanOrEqual(1);
      expect(pool).toBeLessThanOrEqual(20);
      const pooler = pick(objects, 'v1/ConfigMap', 'postgres-pooler-config').data['pgbouncer.ini'] ?? '';
      const figure = (name: string): number => Number(new RegExp(`^${name} = ([0-9]+)$`, 'm').exec(pooler)?.[1]);
      // One pod more than the maximum runs during a rollout, and one pod of the pooler must be able to take all.
      expect(pool * (maxReplicas + 1)).toBeLessThanOrEqual(figure('max_client_conn'));
      const pods = deploymentOf(objects, 'postgres-pooler').spec.replicas ?? 0;
      expect(figure('max_db_connections') * pods).toBeLessThanOrEqual(20);
      // Backups and an operator need connections too.
      expect(20).toBeLessThanOrEqual(setting(objects, 'max_connections') - 10);
    },
  );
});

describe('PostgreSQL in prod', () => {
  it('is one instance behind postgres-service on 5432', () => {
    const { spec } = storeOf(prod, 'postgres');
    expect(spec.replicas).toBe(1);
    expect(spec.serviceName).toBe('postgres-headless');
    const service = pick(prod, 'v1/Service', 'postgres-service').spec;
    expect(service).toMatchObject({ type: 'ClusterIP', ports: [{ port: 5432, targetPort: 'postgres' }] });
    expect(first(storeOf(prod, 'postgres')).ports).toEqual([
      { name: 'postgres', containerPort: 5432, protocol: 'TCP' },
    ]);
  });

  it('is asked with pg_isready, as its owner', () => {
    const { livenessProbe, readinessProbe, startupProbe } = first(storeOf(prod, 'postgres'));
    for (const probe of [livenessProbe, readinessProbe, startupProbe]) {
      expect(probe?.exec?.command?.join(' ')).toMatch(/pg_isready .*-U noodlecore\b/);
    }
  });

  it('asks for 500m and 1Gi, and gets 1000m and 2Gi at most', () => {
    expect(computeOf(first(storeOf(prod, 'postgres')))).toEqual({ cpu: ['500m', '1000m'], memory: ['1Gi', '2Gi'] });
  });

  it('has database and user noodlecore, and its password in postgres-secret', () => {
    expect(environmentOf(first(storeOf(prod, 'postgres')))).toMatchObject({
      POSTGRES_DB: 'noodlecore',
      POSTGRES_USER: 'noodlecore',
    });
    const secret = pick(prod, 'v1/Secret', 'postgres-secret');
    expect(Object.keys(secret.stringData).sort()).toEqual(
      expect.arrayContaining(['DATABASE_URL', 'POSTGRES_PASSWORD']),
    );
  });

  it('keeps its data on a volume at /var/lib/postgresql/data', () => {
    const { spec } = storeOf(prod, 'postgres');
    expect(first(storeOf(prod, 'postgres')).volumeMounts).toContainEqual({
      name: 'data',
      mountPath: '/var/lib/postgresql/data',
    });
    expect(spec.volumeClaimTemplates?.[0]).toMatchObject({
      metadata: { name: 'data' },
      spec: { resources: { requests: { storage: '50Gi' } } },
    });
    expect(spec.persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: 'Retain', whenScaled: 'Retain' });
  });

  it('has settings for connections, memory and logging', () => {
    expect(setting(prod, 'max_connections')).toBe(100);
    // A quarter of the memory limit, in kB.
    expect(setting(prod, 'shared_buffers')).toBe((2 * 1024 * 1024) / 4);
    expect(pick(prod, 'v1/ConfigMap', 'postgres-config').data['postgresql.conf']).toMatch(/^log_[a-z_]+ = /m);
  });

  it('is dumped every day to a bucket, fourteen dumps are kept, and one is restored for practice every week', () => {
    const { spec } = pick(prod, 'batch/v1/CronJob', 'postgres-backup');
    expect(spec.schedule).toBe('0 3 * * *');
    expect(spec.concurrencyPolicy).toBe('Forbid');
    const backup = spec.jobTemplate.spec.template.spec.containers[0] as Container;
    expect(environmentOf(backup)).toMatchObject({
      BACKUP_KEEP: '14',
      BACKUP_MAX_AGE_DAYS: '90',
      BACKUP_REMOTE: 'target:trellis-backups/prod/noodle-core',
      RCLONE_CONFIG_TARGET_SECRET_ACCESS_KEY: 'secret:backup-credentials/SECRET_ACCESS_KEY',
      BACKUP_STATUS_ADDRESS: 'backup-status-service.noodle-core.svc:9091',
    });
    expect(pick(prod, 'batch/v1/CronJob', 'postgres-drill').spec.schedule).toBe('0 5 * * 0');
  });
});

describe('Redis in prod', () => {
  it('is one instance behind redis-service on 6379', () => {
    expect(storeOf(prod, 'redis').spec.replicas).toBe(1);
    expect(pick(prod, 'v1/Service', 'redis-service').spec).toMatchObject({
      type: 'ClusterIP',
      ports: [{ port: 6379, targetPort: 'redis' }],
    });
    expect(first(storeOf(prod, 'redis')).ports).toEqual([{ name: 'redis', containerPort: 6379, protocol: 'TCP' }]);
  });

  it('is asked with an authenticated ping', () => {
    const container = first(storeOf(prod, 'redis'));
    expect(container.readinessProbe?.exec?.command).toEqual(['redis-ping']);
    expect(environmentOf(container).REDIS_PASSWORD_FILE).toBe('/run/secrets/redis/password');
  });

  it('asks for 250m and 256Mi, and gets 500m and 512Mi at most', () => {
    expect(computeOf(first(storeOf(prod, 'redis')))).toEqual({ cpu: ['250m', '500m'], memory: ['256Mi', '512Mi'] });
  });

  it('has its password in redis-secret, and its data at /data', () => {
    const secret = pick(prod, 'v1/Secret', 'redis-secret');
    expect(Object.keys(secret.stringData).sort()).toEqual(['REDIS_PASSWORD', 'REDIS_PASSWORDS', 'REDIS_URL']);
    expect(first(storeOf(prod, 'redis')).volumeMounts).toContainEqual({ name: 'data', mountPath: '/data' });
    expect(storeOf(prod, 'redis').spec.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.storage).toBe('10Gi');
  });

  it('has a memory limit, an eviction policy and an append-only file', () => {
    const text = pick(prod, 'v1/ConfigMap', 'redis-config').data['redis.conf'] ?? '';
    expect(Number(/^maxmemory ([0-9]+)$/m.exec(text)?.[1])).toBeLessThan(512 * 1024 * 1024);
    expect(text).toMatch(/^maxmemory-policy volatile-lru$/m);
    expect(text).toMatch(/^appendonly yes$/m);
  });
});

describe('the IDE in prod', () => {
  it('is autoscaled and asked like the runtime', () => {
    const [ide, runtime] = ['noodle-ide', 'noodle-runtime'].map((name) => ({
      scaling: pick(prod, 'autoscaling/v2/HorizontalPodAutoscaler', name).spec,
      container: first(deploymentOf(prod, name)),
    }));
    expect(ide?.scaling).toMatchObject({
      minReplicas: 3,
      maxReplicas: 9,
      metrics: runtime?.scaling.metrics,
      behavior: runtime?.scaling.behavior,
    });
    for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const)
      expect(ide?.container[probe]).toEqual(runtime?.container[probe]);
  });

  it('knows the runtime, and neither of the stores', () => {
    const environment = environmentOf(first(deploymentOf(prod, 'noodle-ide')));
    expect(environment).toMatchObject({
      SERVICE_NAME: 'noodle-ide',
      NOODLE_RUNTIME_URL: 'http://noodle-runtime-service.noodle-core.svc:80',
      SECRET_KEY: 'secret:noodle-runtime-secret/SECRET_KEY',
    });
    expect(Object.keys(environment)).not.toContain('DATABASE_URL');
    expect(Object.keys(environment)).not.toContain('REDIS_URL');
    const files = pick(prod, 'v1/ConfigMap', 'noodle-ide-config').data;
    expect(Object.keys(files)).toEqual(['ide.json']);
  });
});

const rootPath = (name: string) => ({
  path: '/',
  pathType: 'Prefix',
  backend: { service: { name, port: { number: 80 } } },
});

describe('the way in, in prod', () => {
  it('is HTTPS at noodle.example.com, with a certificate from letsencrypt-prod in noodle-tls', () => {
    const issued = pick(prod, 'cert-manager.io/v1/Certificate', 'ingress').spec;
    expect([issued.issuerRef.name, issued.secretName]).toEqual(['letsencrypt-prod', 'noodle-tls']);
    const { metadata, spec } = pick(prod, 'networking.k8s.io/v1/Ingress', 'ingress');
    expect(metadata.annotations).toMatchObject({
      'nginx.ingress.kubernetes.io/force-ssl-redirect': 'true',
    });
    expect(spec).toEqual({
      ingressClassName: 'nginx',
      tls: [{ hosts: ['noodle.example.com', 'ide.noodle.example.com'], secretName: 'noodle-tls' }],
      rules: [
        { host: 'noodle.example.com', http: { paths: [rootPath('noodle-runtime-service')] } },
        { host: 'ide.noodle.example.com', http: { paths: [rootPath('noodle-ide-service')] } },
      ],
    });
  });
});
