import type { App } from 'cdk8s';
import { Chart, Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-28';
import { AutoscaledService } from '../../components/autoscaled-service';
import type { Canary } from '../../components/canary';
import type { BackupStatus } from '../../components/backup-status';
import type { CacheStore } from '../../components/cache-store';
import { GpuInferenceDeployment } from '../../components/gpu-inference-deployment';
import { InferenceServer } from '../../components/inference-server';
import { kubeObject } from '../../components/kube';
import type { Late } from '../../components/late';
import { LateTokens } from '../../components/late';
import { ModelSource } from '../../components/model-source';
import { NamespaceAccess } from '../../components/namespace-access';
import { NamespaceBaseline } from '../../components/namespace-baseline';
import { ServiceMetrics } from '../../components/service-metrics';
import { ServiceVolume } from '../../components/service-volume';
import { ScalingSignal } from '../../components/scaling-signal';
import type { StatefulDatabase } from '../../components/stateful-database';
import type { TlsIngress } from '../../components/tls-ingress';
import { Backups } from '../backups';
import { addIngress, canaryOf } from '../edge';
import { addCache, addDatabase, poolSize, readPoolSize } from '../stores';
import { addTracing } from '../tracing';
import type { ServiceValues } from '../values';
import type { ServiceEnvironment } from './environment';
import { addShutdown, checkVariables, environmentOf, SECRET } from './environment';
import { initScripts } from './sql';
import type { MemoryBoundValues, ModelValues, NoaServerValues } from './values';
import type { ServiceName } from './variables';

/** Ports that the description gives. It has none for the UI: 3000 is what dashboards on Node.js listen on. */
const PORTS: Readonly<Record<ServiceName, number>> = { ui: 3000, mcp: 8001, 'claude-flow': 9100, 'agentic-os': 9200 };
/** Longest completion at the model server, in seconds; each hop before it waits a little longer, so that the innermost one gives up first. */
const COMPLETION_SECONDS = 120;
const HOP_SECONDS = 5;
const afterHops = (hops: number): number => COMPLETION_SECONDS + hops * HOP_SECONDS;
/** Begin of the variables of the connection to the database's replicas. */
const READ_PREFIX = 'READ_';
/** Where MCP's volume is mounted. */
const DATA_DIRECTORY = '/app/data';

interface ServiceOptions {
  readonly image: Late;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly resources: ContainerResources;
  readonly scaleOn?: readonly ScalingSignal[];
  /** Longest request, in seconds. */
  readonly longestRequest: number;
  readonly volume?: ServiceVolume;
  readonly canary?: Canary;
}

/**
 * Noa Server: a dashboard behind a TLS ingress, MCP, Claude Flow and AgenticOS as services, llama.cpp for inference,
 * PostgreSQL 15 and Redis 7. Requests go from the ingress to the UI, to MCP, to Claude Flow, and from there to the data and the model.
 */
export class NoaServer extends Chart {
  public readonly ui: AutoscaledService;
  public readonly mcp: AutoscaledService;
  public readonly claudeFlow: AutoscaledService;
  public readonly agenticOs: AutoscaledService;
  public readonly llamaCpp: GpuInferenceDeployment;
  public readonly postgres: StatefulDatabase;
  public readonly redis: CacheStore;
  /** What knows when each store was last backed up and proved; nothing where no backups are made. */
  public readonly backupStatus: BackupStatus | undefined;

  /** @throws ValidationError where a component refuses its values, before any of its objects exists */
  public constructor(
    scope: App,
    id: string,
    private readonly values: NoaServerValues,
  ) {
    super(scope, id, { namespace: values.namespace, labels: { 'app.kubernetes.io/part-of': 'noa-server' } });
    checkVariables(this.node.path, values.variables);
    const { removalPolicy, largestNode, images, secrets } = values;
    const baseline = new NamespaceBaseline(this, 'baseline', { removalPolicy, largestNode });
    const access = new NamespaceAccess(this, 'access', values.access);
    this.addSecret();
    const backups = new Backups(this, { values: values.backup, images, key: secrets.backupKey, removalPolicy });
    this.backupStatus = backups.status;
    const { postgresPassword: password, replicationPassword, archivePassphrase } = secrets;
    const passwords = { password, replicationPassword, archivePassphrase };
    const database = { values: values.postgres, images, ...passwords, backups, removalPolicy };
    this.postgres = addDatabase(this, { name: 'noa', initScripts: initScripts(), ...database });
    const { redisPassword, redisSystemPassword: systemPassword } = secrets;
    const cache = { values: values.redis, images, password: redisPassword, systemPassword, backups, removalPolicy };
    this.redis = addCache(this, cache);
    this.llamaCpp = this.addLlamaCpp();
    const { ui, mcp, claudeFlow, agenticOs } = values;
    const [flowSeconds, mcpSeconds, uiSeconds] = [afterHops(0), afterHops(1), afterHops(2)];

    this.agenticOs = this.addService(
      'agentic-os',
      { ...fixed(agenticOs), image: images.agenticOs, longestRequest: 60 },
      {},
    );
    this.claudeFlow = this.addService(
      'claude-flow',
      { ...byMemoryToo(claudeFlow), image: images.claudeFlow, longestRequest: flowSeconds },
      { completionSeconds: flowSeconds },
    );
    this.mcp = this.addService(
      'mcp',
      { ...byMemoryToo(mcp), image: images.mcp, longestRequest: mcpSeconds, volume: mcpVolume(values, backups) },
      { completionSeconds: mcpSeconds, dataDirectory: DATA_DIRECTORY },
    );
    this.ui = this.addService(
      'ui',
      { ...byCpu(ui), ...canaryOf(ui, images.uiCanary), image: images.ui, longestRequest: uiSeconds },
      { completionSeconds: uiSeconds },
    );
    this.connect();
    const ingress = this.addIngress();
    const services = [this.llamaCpp, this.agenticOs, this.claudeFlow, this.mcp, this.ui];
    for (const part of [access, this.backupStatus, this.postgres, this.redis, ...services, ingress]) {
      part?.node.addDependency(baseline);
    }
  }

  /** Every edge of the flow, and no other: Ingress → UI → MCP → Claude Flow → agents, data and model. */
  private connect(): void {
    const { ui, mcp, claudeFlow, agenticOs } = this;
    agenticOs.connects(this.postgres, this.redis);
    claudeFlow.connects(agenticOs, this.postgres, this.redis, this.llamaCpp);
    mcp.connects(claudeFlow);
    ui.connects(mcp);
    addTracing(this, this.values.tracing, [ui, mcp, claudeFlow, agenticOs]);
    const data = [claudeFlow, agenticOs];
    for (const service of data) {
      // What only reads need not wait behind what writes.
      service.connects(this.postgres.readOnly, { prefix: READ_PREFIX });
      service.addEnv('DATABASE_POOL_MAX', String(poolSize(this.postgres, data, true)));
      service.addEnv(`${READ_PREFIX}DATABASE_POOL_MAX`, String(readPoolSize(this.postgres, data)));
    }
    // The model server's address ends the path; before it each hop names the next.
    mcp.addEnv('COMPLETION_URL', url(claudeFlow));
    ui.addEnv('COMPLETION_URL', url(mcp));
  }

  private addSecret(): void {
    const { secretKey, encryptionKey } = this.values.secrets;
    const tokens = LateTokens.of(this);
    const stringData = {
      SECRET_KEY: tokens.asSecret(this, secretKey),
      ENCRYPTION_KEY: tokens.asSecret(this, encryptionKey),
    };
    kubeObject(this, 'secret', 'v1/Secret', { name: SECRET }, { stringData });
  }

  private addService(
    name: ServiceName,
    options: ServiceOptions,
    own: Omit<ServiceEnvironment, 'port'>,
  ): AutoscaledService {
    const { longestRequest, ...rest } = options;
    const port = PORTS[name];
    const front = name === 'ui' || name === 'mcp' ? { publicUrl: `https://${this.values.host}/` } : {};
    const service = new AutoscaledService(this, name, {
      ...rest,
      port,
      servicePort: port,
      startupDeadline: Duration.seconds(60),
      probes: { liveness: '/health', readiness: '/health/ready', startup: '/health/startup' },
      lifecycle: { longestRequest: Duration.seconds(longestRequest) },
      // A completion takes as long as its tokens.
      metrics: ServiceMetrics.prometheus({ slowRoutes: ['/api/completion'] }),
      env: environmentOf(name, this.values, { ...own, ...front, port }),
    });
    addShutdown(service);
    return service;
  }

  private addIngress(): TlsIngress {
    const routes = [{ host: this.values.host, path: '/', to: this.ui }];
    // Completions come piece by piece from services that stream them.
    return addIngress(this, this.values, { streaming: true, routes });
  }

  private addLlamaCpp(): GpuInferenceDeployment {
    const { images, secrets, llamaCpp } = this.values;
    const { replicas, resources, gpu, slots, contextPerSlot, model } = llamaCpp;
    return new GpuInferenceDeployment(this, 'llama-cpp', {
      ...{ image: images.llamaCpp, replicas, resources, gpu },
      server: InferenceServer.llamaCpp({ slots, contextPerSlot }),
      model: modelSource(model, images.modelFetch),
      modelSize: model.size,
      apiKey: secrets.llamaApiKey,
      lifecycle: { longestRequest: Duration.seconds(COMPLETION_SECONDS) },
    });
  }
}

const url = ({ host, port }: AutoscaledService): string => `http://${host}:${port}`;
const fixed = ({ replicas, resources }: NoaServerValues['agenticOs']) => ({
  minReplicas: replicas,
  maxReplicas: replicas,
  resources,
});
const byCpu = ({ minReplicas, maxReplicas, resources, cpuTarget }: ServiceValues) => ({
  ...{ minReplicas, maxReplicas, resources },
  scaleOn: [ScalingSignal.cpu(cpuTarget)],
});
const byMemoryToo = (values: MemoryBoundValues) => ({
  ...byCpu(values),
  scaleOn: [ScalingSignal.cpu(values.cpuTarget), ScalingSignal.memory(values.memoryTarget)],
});

/** A volume for each pod: what MCP keeps belongs to the sessions of that pod, and any class of volumes will do. */
const mcpVolume = ({ mcp: { storage, storageClass, backup }, removalPolicy }: NoaServerValues, backups: Backups) =>
  ServiceVolume.perReplica({
    directory: DATA_DIRECTORY,
    size: storage,
    ...(storageClass === undefined ? {} : { storageClass }),
    removalPolicy,
    ...backups.of(backup),
  });
const modelSource = ({ path, uri, revision, sha256, size }: ModelValues, image: Late): ModelSource =>
  uri === '' ? ModelSource.baked(path) : ModelSource.fromUri({ uri, revision, sha256, size, image });
