import type { RenderedObject } from '../../../bridge/render';
import type { PodSpec } from '../../../components/kube';
import { environmentOf, first, IMAGES, pick, renderPlatform, runtimeOf, storeOf } from './platform';

let prod: readonly RenderedObject[];
let dev: readonly RenderedObject[];
beforeAll(async () => {
  prod = await renderPlatform('prod');
  dev = await renderPlatform('dev');
});

describe('security in prod', () => {
  const pods = (): readonly [name: string, pod: PodSpec][] => [
    ['noodle-runtime', runtimeOf(prod).spec.template.spec],
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
      (policy(name).ingress ?? []).flatMap(({ from }) => from ?? []).map((peer) => peer.podSelector?.matchLabels);
    expect(clients('redis')).toEqual([{ 'app.kubernetes.io/name': 'noodle-runtime' }]);
    expect(clients('postgres')).toHaveLength(2);
    expect(clients('postgres')).toContainEqual({ 'app.kubernetes.io/name': 'noodle-runtime' });
  });

  it('runs what was built, by digest', () => {
    expect(pods().map(([, pod]) => pod.containers[0]?.image)).toEqual([
      IMAGES.runtime,
      IMAGES.postgres,
      IMAGES.redis,
      IMAGES.postgres,
    ]);
  });
});

describe('dev differs from prod', () => {
  it('in nothing but data: the same objects, save those of certificate challenges', () => {
    const inventory = (objects: readonly RenderedObject[]): readonly string[] => objects.map(({ path }) => path).sort();
    const challenges = inventory(prod).filter((path) => path.endsWith('/ChallengePolicy'));
    expect(challenges).toHaveLength(1);
    expect(inventory(dev)).toEqual(inventory(prod).filter((path) => !challenges.includes(path)));
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
    expect(spec.tls).toEqual([{ hosts: ['noodle.trellis.localhost'] }]);
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
