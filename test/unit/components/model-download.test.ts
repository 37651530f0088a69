import type { Chart } from 'cdk8s';
import { Duration, Size } from 'cdk8s';
import { AutoscaledService } from '../../../components/autoscaled-service';
import type { GpuInferenceDeploymentProps } from '../../../components/gpu-inference-deployment';
import { GpuInferenceDeployment } from '../../../components/gpu-inference-deployment';
import { GpuRequest } from '../../../components/gpu-request';
import type { Kinds } from '../../../components/kube';
import { LateTokens } from '../../../components/late';
import type { ModelFiles, ModelUri } from '../../../components/model-source';
import { ModelSource } from '../../../components/model-source';
import type { Manifest } from '../../support/synth';
import { all, find, freshChart, IMAGE, onlyContainer, podOf, problemsOf } from '../../support/service-props';

const SHA = '0123456789abcdef'.repeat(4);
const FETCH = 'registry.test/model-fetch:1';
const minimal: ModelUri = {
  uri: 'hf://Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf',
  revision: '6b0c2d1',
  sha256: SHA,
  size: Size.gibibytes(5),
  image: FETCH,
};
const build = (chart: Chart, model: ModelSource, props: Partial<GpuInferenceDeploymentProps> = {}) =>
  new GpuInferenceDeployment(chart, 'llama', { image: IMAGE, gpu: GpuRequest.nvidia(1), model, ...props });
const synth = (options: Partial<ModelUri> = {}, props: Partial<GpuInferenceDeploymentProps> = {}): Chart => {
  const chart = freshChart();
  build(chart, ModelSource.fromUri({ ...minimal, ...options }), props);
  return chart;
};
const job = (chart: Chart): Manifest<'batch/v1/Job'> => find(chart, 'batch/v1/Job');
const fetcher = (chart: Chart) => job(chart).spec.template.spec.containers[0];
const variable = (chart: Chart, name: string): string | undefined =>
  fetcher(chart)?.env?.find((one) => one.name === name)?.value;
const policy = (chart: Chart): Kinds['networking.k8s.io/v1/NetworkPolicy']['spec'] =>
  find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'llama-model').spec;

describe('a model from an address', () => {
  const chart = synth();

  test('is fetched by a Job, by its revision and with its checksum', () => {
    const directory = variable(chart, 'MODEL') ?? '';
    expect(directory).toMatch(/^6b0c2d1-[0-9a-f]{12}$/);
    expect(variable(chart, 'MODEL_FILES')).toBe(
      `${SHA} Qwen3-8B-Q4_K_M.gguf https://huggingface.co/Qwen/Qwen3-8B-GGUF/resolve/6b0c2d1/Qwen3-8B-Q4_K_M.gguf`,
    );
    expect(fetcher(chart)?.image).toBe(FETCH);
    const { args = [] } = onlyContainer(chart, 'llama');
    expect(args[args.indexOf('--model') + 1]).toBe(`/models/${directory}/Qwen3-8B-Q4_K_M.gguf`);
  });

  test('lies on a volume that holds two revisions, and pods can only read it', () => {
    expect(find(chart, 'v1/PersistentVolumeClaim', 'llama-models').spec).toMatchObject({
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '10752Mi' } },
    });
    const mount = { name: 'models', mountPath: '/models', readOnly: true };
    expect(onlyContainer(chart, 'llama').volumeMounts).toContainEqual(mount);
    expect(podOf(chart).volumes).toContainEqual({
      name: 'models',
      persistentVolumeClaim: { claimName: 'llama-models' },
    });
  });

  test('is waited for by each pod, and the start-up budget holds the time to read it', () => {
    const [wait] = podOf(chart).initContainers ?? [];
    expect(wait).toMatchObject({ name: 'wait-for-model', image: FETCH });
    expect(wait?.args?.at(-1)).toBe(`/models/${variable(chart, 'MODEL') ?? ''}`);
    const { startupProbe } = onlyContainer(chart, 'llama');
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBe(165);
  });

  test('a wrong file ends the Job at once, a drained node costs no attempt, and the reason is in the status', () => {
    const { spec, metadata } = job(chart);
    expect(spec.podFailurePolicy?.rules).toEqual([
      { action: 'FailJob', onExitCodes: { containerName: 'fetch', operator: 'In', values: [65] } },
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ]);
    expect(spec.template.spec.restartPolicy).toBe('Never');
    expect(fetcher(chart)?.terminationMessagePolicy).toBe('FallbackToLogsOnError');
    expect(metadata.annotations).toEqual({
      'pulumi.com/timeoutSeconds': '3720',
      'pulumi.com/replaceUnready': 'true',
    });
  });

  test('only the Job may connect to where it comes from, and to no private address', () => {
    expect(policy(chart).ingress).toBeUndefined();
    const [dns, ...outside] = policy(chart).egress ?? [];
    expect(dns?.ports?.[0]?.port).toBe(53);
    expect(outside).toHaveLength(1);
    expect(outside[0]?.ports).toEqual([{ protocol: 'TCP', port: 443 }]);
    const [v4] = outside[0]?.to ?? [];
    expect(v4?.ipBlock?.cidr).toBe('0.0.0.0/0');
    expect(v4?.ipBlock?.except).toContain('169.254.0.0/16');
    const server = find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'llama');
    expect(server.spec.egress?.flatMap(({ ports = [] }) => ports.map(({ port }) => port))).toEqual([53, 53]);
  });

  test('the Job has no device, but goes to the nodes that have one', () => {
    expect(Object.keys(fetcher(chart)?.resources?.limits ?? {})).toEqual(['cpu', 'ephemeral-storage', 'memory']);
    const placed = job(synth({}, { nodeSelector: { pool: 'gpu' } })).spec.template.spec;
    expect(placed).toMatchObject({ nodeSelector: { pool: 'gpu' }, tolerations: [{ key: 'nvidia.com/gpu' }] });
    expect(placed.securityContext?.runAsUser).toBe(podOf(chart).securityContext?.runAsUser);
  });
});

test('another revision, checksum or address is another Job and another directory; another image is neither', () => {
  const [first, again] = [synth(), synth({ image: 'registry.test/model-fetch:2' })];
  expect(job(again).metadata.name).toBe(job(first).metadata.name);
  for (const change of [{ revision: '7' }, { sha256: SHA.replace('0', 'f') }, { uri: 'hf://a/b/c.gguf' }]) {
    expect(job(synth(change)).metadata.name).not.toBe(job(first).metadata.name);
    expect(variable(synth(change), 'MODEL')).not.toBe(variable(first, 'MODEL'));
  }
});

test('every option is where it belongs', () => {
  const options: Required<Omit<ModelUri, 'server'>> = {
    ...minimal,
    uri: 'https://models.example.com:8443/{revision}/q4.gguf',
    token: 'canary-token',
    addresses: ['203.0.113.0/24'],
    cache: Size.gibibytes(20),
    storageClass: 'fast',
    sharedVolume: true,
    deadline: Duration.minutes(30),
  };
  const chart = synth(options, { replicas: 2 });
  expect(variable(chart, 'MODEL_FILES')).toBe(`${SHA} q4.gguf https://models.example.com:8443/6b0c2d1/q4.gguf`);
  expect(policy(chart).egress?.[1]).toEqual({
    to: [{ ipBlock: { cidr: '203.0.113.0/24' } }],
    ports: [{ protocol: 'TCP', port: 8443 }],
  });
  expect(find(chart, 'v1/PersistentVolumeClaim', 'llama-models').spec).toEqual({
    accessModes: ['ReadWriteMany'],
    storageClassName: 'fast',
    resources: { requests: { storage: '20Gi' } },
  });
  expect(job(chart).spec.activeDeadlineSeconds).toBe(1800);
  const { stringData } = find(chart, 'v1/Secret', 'llama-model-secret');
  expect(LateTokens.of(chart).lookup(stringData['TOKEN'] ?? '')).toMatchObject({ secret: true });
  expect(variable(chart, 'TOKEN_FILE')).toBe('/run/secrets/model/TOKEN');
  expect(JSON.stringify(chart.toJson())).not.toContain('canary');
});

test('a server in the cluster is the only place that the Job may connect to, and lets it in', () => {
  const chart = freshChart();
  const server = new AutoscaledService(chart, 'store', { image: IMAGE });
  build(chart, ModelSource.fromUri({ ...minimal, uri: `http://${server.host}/q4.gguf`, server }));
  expect(policy(chart).egress?.[1]).toEqual({ to: [server.peer], ports: [{ protocol: 'TCP', port: 8080 }] });
  const from = find(chart, 'networking.k8s.io/v1/NetworkPolicy', 'store').spec.ingress?.[0]?.from;
  expect(from).toMatchObject([{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'llama-model' } } }]);
  expect(variable(chart, 'PROTOCOL')).toBe('http');
});

test('the Deployment comes after the Job', () => {
  const chart = freshChart();
  const server = build(chart, ModelSource.fromUri(minimal));
  const deployment = server.node.findChild('Deployment');
  expect(deployment.node.dependencies.map(({ node }) => node.id)).toEqual(['Model']);
});

test('a model of several files is a folder', () => {
  const files = ['config.json', 'model-00001-of-00002.safetensors'].map((path) => ({ path, sha256: SHA }));
  const options: ModelFiles = { ...minimal, uri: 'hf://Qwen/Qwen3-8B', files };
  const chart = freshChart();
  build(chart, ModelSource.fromFiles(options));
  expect(variable(chart, 'MODEL_FILES')?.split('\n')).toEqual(
    files.map(({ path }) => `${SHA} ${path} https://huggingface.co/Qwen/Qwen3-8B/resolve/6b0c2d1/${path}`),
  );
  const { args = [] } = onlyContainer(chart, 'llama');
  expect(args[args.indexOf('--model') + 1]).toBe(`/models/${variable(chart, 'MODEL') ?? ''}`);
});

test('without a download there is no Job, no volume and nothing to wait for', () => {
  const chart = freshChart();
  build(chart, ModelSource.baked(), { modelSize: Size.gibibytes(1) });
  expect(all(chart, 'batch/v1/Job')).toEqual([]);
  expect(all(chart, 'v1/PersistentVolumeClaim')).toEqual([]);
  expect(podOf(chart)).not.toHaveProperty('initContainers');
});

describe('refused', () => {
  const problems = (options: Partial<ModelUri>, props: Partial<GpuInferenceDeploymentProps> = {}): readonly string[] =>
    problemsOf(() => synth(options, props));

  test.each<readonly [string, Partial<ModelUri>, string]>([
    ['no revision', { revision: '' }, "model: revision '' is not a commit"],
    ['a revision that is a path', { revision: '../x' }, "model: revision '../x' is not a commit"],
    [
      'a checksum cut short',
      { sha256: 'abc' },
      "model: sha256 of 'Qwen3-8B-Q4_K_M.gguf' must be 64 hexadecimal digits",
    ],
    ['an address of another kind', { uri: 's3://bucket/q4.gguf' }, "model: 's3://bucket' is not an address such as"],
    [
      'a password in the address',
      { uri: 'https://u:p@h.example.com/q4.gguf' },
      'model: the address must hold no password',
    ],
    ['plain http to the outside', { uri: 'http://h.example.com/q4.gguf' }, 'is not encrypted'],
    ['a cache that is too small', { cache: Size.gibibytes(4) }, 'model: cache must be at least the size of the model'],
    ['a model of no size', { size: Size.gibibytes(0) }, 'model: size must be a size'],
    ['a range that is none', { addresses: ['10.0.0.0/33'] }, "model: '10.0.0.0/33' is not a range of addresses"],
    ['an image that is none', { image: 'No Image' }, 'model: image must be an image reference'],
    ['a deadline of no time', { deadline: Duration.seconds(1) }, 'model: deadline must be whole seconds, at least 60'],
  ])('%s', (_, options, expected) => {
    expect(problems(options)).toEqual([expect.stringContaining(expected)]);
  });

  test('a token with a blank, without showing it', () => {
    expect(problems({ token: 'canary x' })).toEqual(['model: token must be printable characters without blanks']);
  });

  test('several pods on a volume of one node', () => {
    expect(problems({}, { replicas: 2 })).toEqual([
      'model: 2 pods may run on several nodes, which only a sharedVolume can serve',
    ]);
  });

  test('a name that a Job cannot carry', () => {
    expect(problems({}, { name: 'a'.repeat(49) })).toEqual([expect.stringContaining('name (with a download)')]);
  });

  test('files that are named twice or not at all', () => {
    const files = (...paths: readonly string[]) => {
      const model = ModelSource.fromFiles({
        ...minimal,
        uri: 'hf://a/b',
        files: paths.map((path) => ({ path, sha256: SHA })),
      });
      return problemsOf(() => build(freshChart(), model));
    };
    expect(files()).toEqual(['model: there must be at least one file']);
    expect(files('a', 'a')).toEqual(["model: 'a' is named twice"]);
    expect(files('../a')).toEqual(["model: '../a' is not a plain path of a file"]);
  });
});
