import type { RenderedObject } from '../../../bridge/render';
import type { PodSpec } from '../../../components/kube';
import { deploymentOf, environmentOf, first, IMAGES, pick, renderSystem, runtimeOf, storeOf } from './platform';

let prod: readonly RenderedObject[];
let dev: readonly RenderedObject[];
beforeAll(async () => {
  prod = await renderSystem('noodle-core', 'prod');
  dev = await renderSystem('noodle-core', 'dev');
});

describe('security in prod', () => {
  const pods = (): readonly [name: string, pod: PodSpec][] => [
    ['noodle-runtime', runtimeOf(prod).spec.template.spec],
    ['noodle-ide', deploymentOf(prod, 'noodle-ide').spec.template.spec],
    ['postgres', storeOf(prod, 'postgres').spec.template.spec],
    ['redis', storeOf(prod, 'redis').spec.template.spec],
    ['postgres-backup', pick(prod, 'batch/v1/CronJob', 'postgres-backup').spec.jobTemplate.spec.template.spec],
  ];

  it('enforces Pod Security restricted in namespace noodle-core', () => {
    expect(pick(prod, 'v1/Namespace', 'noodle-core').metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    const elsewhere = prod.filter(({ kind, namespace }) => kind !== 'Namespace' && namespace !== 'noodle-core');
    expect(elsewhere.map(({ path }) => path)).toEqual([]);
  });

  it('runs nobody as root, gives no token, and an account of its own to each', () => {
    for (const [name, pod] of pods()) {
      expect(pod).toMatchObject({ automountServiceAccountToken: false, serviceAccountName: name });
      expect(pod.securityContext?.runAsNonRoot).toBe(true);
      for (const { resources, securityContext } of pod.containers) {
        expect(Object.keys(resources?.limits ?? {})).toEqual(expect.arrayContaining(['cpu', 'memory']));
        expect(securityContext).toMatchObject({
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  it('closes the namespace, and opens both stores for the runtime alone', () => {
    const policy = (name: string) => pick(prod, 'networking.k8s.io/v1/NetworkPolicy', name).spec;
    expect(policy('default-deny')).toMatchObject({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    const clients = (name: string): readonly unknown[] =>
      (policy(name).ingress ?? [])
        .flatMap(({ from }) => from ?? [])
        .map((peer) => peer.podSelector?.matchLabels)
        // It asks everybody for metrics: see observability.test.ts.
        .filter((labels) => labels?.['app.kubernetes.io/name'] !== 'prometheus');
    expect(clients('redis')).toEqual([
      { 'app.kubernetes.io/name': 'redis-backup' },
      { 'app.kubernetes.io/name': 'noodle-runtime' },
    ]);
    expect(clients('postgres-pooler')).toEqual([{ 'app.kubernetes.io/name': 'noodle-runtime' }]);
    expect(clients('postgres')).toEqual([
      { 'app.kubernetes.io/name': 'postgres-pooler' },
      { 'app.kubernetes.io/name': 'postgres-backup' },
    ]);
  });

  it('lets people look and operate by groups, and no pod do anything', () => {
    for (const [role, group] of [
      ['viewer', 'noodle-core-viewers'],
      ['operator', 'noodle-core-operators'],
    ] as const) {
      const { subjects } = pick(prod, 'rbac.authorization.k8s.io/v1/RoleBinding', role);
      expect(subjects).toEqual([{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }]);
    }
    expect(prod.filter(({ kind }) => kind.startsWith('Cluster'))).toEqual([]);
  });

  it('runs what was built, by digest', () => {
    expect(pods().map(([, pod]) => pod.containers[0]?.image)).toEqual([
      IMAGES.noodleCore.runtime,
      IMAGES.noodleCore.ide,
      IMAGES.noodleCore.postgres,
      IMAGES.noodleCore.redis,
      IMAGES.noodleCore.backup,
    ]);
  });
});

describe('dev differs from prod', () => {
  it('in nothing but data: the same objects, save those of an issued certificate and of headers, and volumes of archives', () => {
    const inventory = (objects: readonly RenderedObject[]): readonly string[] => objects.map(({ path }) => path).sort();
    const edge = inventory(prod).filter((path) => /\/ingress\/(ChallengePolicy|Certificate|Headers)$/.test(path));
    expect(edge).toHaveLength(3);
    // Archives are in a bucket in prod.
    const volumes = inventory(dev).filter((path) => path.endsWith('/Backup/Jobs/Volume'));
    expect(volumes).toHaveLength(2);
    const common = inventory(dev).filter((path) => !volumes.includes(path));
    expect(common).toEqual(inventory(prod).filter((path) => !edge.includes(path)));
  });

  it('in replicas, log level, kind of Service and host', () => {
    expect(pick(dev, 'autoscaling/v2/HorizontalPodAutoscaler', 'noodle-runtime').spec).toMatchObject({
      minReplicas: 1,
      maxReplicas: 2,
    });
    expect(environmentOf(first(runtimeOf(dev)))).toMatchObject({
      NOODLE_ENV: 'development',
      NOODLE_LOG_LEVEL: 'DEBUG',
      DATABASE_POOL_MAX: '20',
    });
    expect(pick(dev, 'v1/Service', 'noodle-runtime-service').spec.type).toBe('ClusterIP');
  });

  it('in the certificate, which is the ingress controller’s own', () => {
    const { metadata, spec } = pick(dev, 'networking.k8s.io/v1/Ingress', 'ingress');
    expect(spec.tls).toEqual([{ hosts: ['noodle.trellis.localhost', 'ide.trellis.localhost'] }]);
    expect(metadata.annotations).not.toHaveProperty('cert-manager.io/cluster-issuer');
  });

  it('in data that goes away with the stack', () => {
    const policy = (objects: readonly RenderedObject[]) =>
      objects.find(({ kind, name }) => kind === 'PersistentVolumeClaim' && name === 'data-postgres-0')?.removalPolicy;
    expect([policy(dev), policy(prod)]).toEqual(['destroy', 'retain']);
    expect(pick(dev, 'v1/Namespace', 'noodle-core-dev').metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
  });
});

describe('staging has Nginx in front', () => {
  let staging: readonly RenderedObject[];
  beforeAll(async () => {
    staging = await renderSystem('noodle-core', 'staging');
  });
  const backends = (objects: readonly RenderedObject[]): readonly unknown[] =>
    (pick(objects, 'networking.k8s.io/v1/Ingress', 'ingress').spec.rules ?? []).flatMap(({ host, http }) =>
      (http?.paths ?? []).map(({ backend }) => [host, backend.service?.name]),
    );

  it('of the runtime: the ingress leads to two pods of it, and only there', () => {
    expect(backends(staging)).toEqual([
      ['noodle.staging.example.com', 'nginx-service'],
      ['ide.noodle.staging.example.com', 'noodle-ide-service'],
    ]);
    expect(deploymentOf(staging, 'nginx').spec.replicas).toBe(2);
    const { ingress = [] } = pick(staging, 'networking.k8s.io/v1/NetworkPolicy', 'noodle-runtime').spec;
    const clients = ingress.flatMap(({ from }) => from ?? []).map((peer) => peer.podSelector?.matchLabels);
    expect(clients.map((labels) => labels?.['app.kubernetes.io/name'])).toEqual(['noodle-ide', 'nginx', 'prometheus']);
  });

  it('with its configuration', () => {
    expect(environmentOf(first(deploymentOf(staging, 'nginx')))).toEqual({
      NGINX_UPSTREAM: 'noodle-runtime-service.noodle-core-staging.svc:80',
      NGINX_BALANCE: 'least_conn',
      NGINX_SERVER_NAME: 'noodle.staging.example.com',
      NGINX_MAX_BODY_SIZE: '1024k',
      NGINX_PROXY_TIMEOUT: '60s',
      NOODLE_RUNTIME_URL: 'http://noodle-runtime-service.noodle-core-staging.svc:80',
    });
    const { livenessProbe, readinessProbe } = first(deploymentOf(staging, 'nginx'));
    expect([livenessProbe?.httpGet?.path, readinessProbe?.httpGet?.path]).toEqual(['/.nginx/live', '/.nginx/ready']);
  });

  it('and prod has not: its ingress leads to the runtime', () => {
    expect(backends(prod)).toEqual([
      ['noodle.example.com', 'noodle-runtime-service'],
      ['ide.noodle.example.com', 'noodle-ide-service'],
    ]);
    expect(prod.filter(({ path }) => path.startsWith('noodle-core/nginx'))).toEqual([]);
  });
});
