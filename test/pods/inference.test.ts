import { createHash } from 'node:crypto';

import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { App, Chart, Duration, Size } from 'cdk8s';
import { Construct } from 'constructs';

import type { IBackend, IClient } from '../../components/connections';
import { GpuInferenceDeployment } from '../../components/gpu-inference-deployment';
import { GpuRequest } from '../../components/gpu-request';
import { InferenceServer } from '../../components/inference-server';
import type { NetworkPolicyPeer } from '../../components/kube';
import { ModelDescription } from '../../components/model-description';
import { ModelSource } from '../../components/model-source';
import { compute } from '../../components/pod';
import { tinyModel } from '../../images/llama-cpp/model/tiny';
import { Cluster, isReady, until } from '../support/cluster';
import { imageOf, pushImage, registryOf } from '../cluster/support/images';
import { applyApp } from '../cluster/support/objects';

jest.setTimeout(300_000);

const NAME = 'trellis-test-inference';
const KEY = 'key-of-the-inference-test';
const CORE = `/api/v1/namespaces/${NAME}`;
const labelled = (app: string): NetworkPolicyPeer => ({ podSelector: { matchLabels: { app } } });

/** Pods of the test, as a component sees them. */
class TestPods extends Construct implements IBackend, IClient {
  public readonly port = 8080;
  public readonly peer: NetworkPolicyPeer;
  public readonly host: string;

  public constructor(scope: Construct, id: string) {
    super(scope, id);
    this.peer = labelled(id);
    this.host = `${id}.${NAME}.svc`;
  }

  public connectionEnv(): Readonly<Record<string, string>> {
    return {};
  }

  public allowFrom(): void {
    // No policy stands before them.
  }
}

describe('a model of a server in the cluster, on llama.cpp without a GPU', () => {
  const file = tinyModel();
  const sha256 = createHash('sha256').update(file).digest('hex');
  let cluster: Cluster;
  let llamaImage: string;
  let nodeImage: string;
  let fetchImage: string;

  /** A pod of the reference service's image that runs a script of Node. */
  const nodePod = (app: string, script: string, more: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: app, labels: { app } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'node',
          image: nodeImage,
          command: ['/usr/bin/node', '-e', script],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          ...more,
        },
      ],
      volumes: [{ name: 'model', configMap: { name: 'model', optional: true } }],
    },
  });

  async function serveFile(): Promise<void> {
    await cluster.create(`${CORE}/configmaps`, {
      metadata: { name: 'model' },
      binaryData: { 'tiny.gguf': file.toString('base64') },
    });
    const script =
      "require('http').createServer((q, r) => r.end(require('fs').readFileSync('/model/tiny.gguf'))).listen(8080)";
    await cluster.create(
      `${CORE}/pods`,
      nodePod('store', script, { volumeMounts: [{ name: 'model', mountPath: '/model' }] }),
    );
    const spec = { selector: { app: 'store' }, ports: [{ port: 8080 }] };
    await cluster.create(`${CORE}/services`, { metadata: { name: 'store' }, spec });
  }

  /** Applies a deployment with all that belongs to it. */
  async function apply(name: string, checksum: string, only?: RegExp): Promise<void> {
    const app = new App();
    const chart = new Chart(app, 'inference', { namespace: NAME });
    const store = new TestPods(chart, 'store');
    const server = new GpuInferenceDeployment(chart, name, {
      image: llamaImage,
      gpu: GpuRequest.none(),
      server: InferenceServer.llamaCpp({ slots: 1, contextPerSlot: 4096 }),
      model: ModelSource.fromUri({
        uri: `http://${store.host}:8080/{revision}/tiny.gguf`,
        revision: 'v1',
        sha256: checksum,
        size: Size.kibibytes(Math.ceil(file.length / 1024)),
        cache: Size.mebibytes(64),
        image: fetchImage,
        server: store,
      }),
      description: ModelDescription.fromGguf(file),
      apiKey: KEY,
      resources: compute([20, 100], [96, 256]),
      sharedMemory: Size.mebibytes(16),
      lifecycle: { loadBalancerPropagation: Duration.seconds(1), longestRequest: Duration.minutes(2) },
    });
    server.allowFrom(new TestPods(chart, 'client'));
    await applyApp(cluster, app, NAME, ({ kind }) => only === undefined || only.test(kind));
  }

  const jobs = (): Promise<readonly V1Job[]> => cluster.list<V1Job>(`/apis/batch/v1/namespaces/${NAME}/jobs`);
  const podsOf = (name: string): Promise<readonly V1Pod[]> =>
    cluster.list<V1Pod>(`${CORE}/pods?labelSelector=app.kubernetes.io/name%3D${name}`);
  const readyPod = (): Promise<V1Pod> =>
    until('a ready pod of llama.cpp', async () => (await podsOf('tiny')).find((pod) => isReady(pod)), 120);
  const phase = async (name: string): Promise<string | undefined> =>
    (await cluster.get<V1Pod>(`${CORE}/pods/${name}`)).status?.phase;

  /** Starts a client that asks and prints the answer as JSON. */
  const ask = (name: string, path: string, body: object, key = KEY): Promise<unknown> => {
    const url = `http://tiny-service.${NAME}.svc${path}`;
    const options = { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) };
    // A pod's first connections may be refused: its address reaches the server's policy about a second after it starts.
    const script = `const ask = (left) => fetch(${JSON.stringify(url)}, ${JSON.stringify(options)}).then(
      async (answer) => console.log(JSON.stringify({ status: answer.status, body: await answer.json() })),
      (error) => {
        if (left === 0) throw error;
        setTimeout(ask, 1000, left - 1);
      });
    ask(30);`;
    const pod = nodePod('client', script) as { readonly metadata: object };
    return cluster.create(`${CORE}/pods`, { ...pod, metadata: { ...pod.metadata, name } });
  };
  const answerOf = async <T>(name: string): Promise<{ readonly status: number; readonly body: T }> => {
    await until(`an answer to ${name}`, async () => (await phase(name)) === 'Succeeded', 120);
    return cluster.get(`${CORE}/pods/${name}/log`);
  };

  beforeAll(async () => {
    cluster = new Cluster();
    llamaImage = await imageOf(cluster, 'apps/v1/deployments/llama-cpp', 'noa-server-dev');
    nodeImage = await imageOf(cluster, 'apps/v1/deployments/noodle-ide');
    const registry = registryOf(llamaImage);
    // From the base that the stack was built from.
    const args = ['--network=host', '--build-arg', `BASE=${registry}/base:dev`];
    fetchImage = await pushImage(registry, 'model-fetch', 'images/model-fetch', args);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await cluster.create('/api/v1/namespaces', { metadata: { name: NAME, labels } });
    await serveFile();
    await apply('tiny', sha256);
    await apply('wrong', '0'.repeat(64), /^(ServiceAccount|PersistentVolumeClaim|NetworkPolicy|Job)$/);
  });
  afterAll(async () => {
    await cluster.remove(`/api/v1/namespaces/${NAME}`);
  });

  test('is downloaded and verified by its Job, and then served', async () => {
    const [job] = await until('the download', async () => {
      const found = (await jobs()).filter(({ metadata }) => metadata?.name?.startsWith('tiny-model-'));
      return found[0]?.status?.succeeded === 1 && found;
    });
    const [pod] = await podsOf('tiny-model');
    expect(job?.status?.failed ?? 0).toBe(0);
    expect(pod?.spec?.containers[0]?.image).toBe(fetchImage);
    await readyPod();
  });

  test('answers a completion and a chat with tokens, to who has the key alone', async () => {
    await readyPod();
    await ask('completion', '/completion', { prompt: 'Hello, how', n_predict: 16, ignore_eos: true });
    await ask('chat', '/v1/chat/completions', { messages: [{ role: 'user', content: 'hello' }], max_tokens: 8 });
    await ask('stranger', '/completion', { prompt: 'Hello' }, 'another-key-of-enough-length');
    const completion = await answerOf<{ content: string; tokens_predicted: number }>('completion');
    expect(completion).toMatchObject({ status: 200, body: { tokens_predicted: 16 } });
    expect(completion.body.content.trim()).not.toBe('');
    const chat = await answerOf<{ choices: readonly unknown[] }>('chat');
    expect(chat).toMatchObject({ status: 200, body: { model: 'tiny', choices: [{ message: { role: 'assistant' } }] } });
    expect((await answerOf('stranger')).status).toBe(401);
  });

  test('with another checksum is refused, and the reason stands in the status of the pod', async () => {
    const job = await until('the failure', async () => {
      const found = (await jobs()).find(({ metadata }) => metadata?.name?.startsWith('wrong-model-'));
      return found?.status?.conditions?.some(({ type }) => type === 'Failed') === true && found;
    });
    expect(job.status?.conditions?.find(({ type }) => type === 'Failed')?.reason).toBe('PodFailurePolicy');
    const [pod] = await podsOf('wrong-model');
    const message = pod?.status?.containerStatuses?.[0]?.state?.terminated?.message ?? '';
    expect(message).toContain(`has the SHA-256 ${sha256}, expected was ${'0'.repeat(64)}`);
  });
});
