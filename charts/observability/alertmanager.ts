import { Duration, Yaml } from 'cdk8s';
import type { Construct } from 'constructs';
import type { IClient } from '../../components/connections';
import { kubeObject } from '../../components/kube';
import type { Late, LateSecret } from '../../components/late';
import { LateTokens } from '../../components/late';
import type { IMonitored, Monitoring } from '../../components/monitoring';
import { Severity } from '../../components/monitoring';
import { prometheusDuration } from '../../components/promql';
import type { RemovalPolicy } from '../../components/release-options';
import { alertmanagerMonitoring } from './own-monitoring';
import { claimOf, Server } from './server';
import type { AlertmanagerValues } from './values';

/** User that the image of Alertmanager runs as. */
const USER = 10_077;
const PORT = 9093;
const FOLDER = '/etc/alertmanager';
const FILE = 'alertmanager.yml';
const DATA = '/alertmanager';

interface AlertmanagerOptions {
  readonly image: Late;
  readonly values: AlertmanagerValues;
  readonly receiverUrl: LateSecret;
  readonly removalPolicy: RemovalPolicy;
}

/**
 * Alertmanager: groups what Prometheus says, and tells one receiver, or nobody but who looks. The address of a receiver is the key to it, so
 * it is in a Secret, and so is all of the file that it is in.
 */
export class Alertmanager extends Server implements IMonitored {
  public constructor(scope: Construct, id: string, options: AlertmanagerOptions) {
    const { image, values, removalPolicy } = options;
    const name = `${id}-config`;
    super(scope, id, {
      image,
      port: PORT,
      user: USER,
      resources: values.resources,
      args: [
        `--config.file=${FOLDER}/${FILE}`,
        `--storage.path=${DATA}`,
        // There is one, so there is nobody to talk to.
        '--cluster.listen-address=',
        '--log.format=json',
      ],
      probes: { liveness: '/-/healthy', readiness: '/-/ready' },
      startup: Duration.minutes(2),
      files: [
        {
          name: 'config',
          directory: FOLDER,
          source:
            values.receiver === undefined
              ? { configMap: { name } }
              : { secret: { secretName: name, defaultMode: 0o440 } },
        },
      ],
      data: { directory: DATA, claim: claimOf(values) },
      removalPolicy,
    });
    this.addConfiguration(name, options);
  }

  public monitoring(): Monitoring {
    return alertmanagerMonitoring(this, { labels: this.selector, port: this.port });
  }

  public allowScraping(...clients: readonly IClient[]): void {
    this.allowFrom(...clients);
  }

  private addConfiguration(name: string, { values, receiverUrl }: AlertmanagerOptions): void {
    const { receiver } = values;
    const metadata = { name, labels: this.selector };
    if (receiver === undefined) {
      const data = { [FILE]: Yaml.stringify(alertmanagerConfiguration(values)) };
      kubeObject(this, 'Config', 'v1/ConfigMap', metadata, { data });
      return;
    }
    const url = LateTokens.of(this).asSecret(this, receiverUrl);
    const stringData = { [FILE]: Yaml.stringify(alertmanagerConfiguration(values, url)) };
    kubeObject(this, 'Secret', 'v1/Secret', metadata, { stringData });
    for (const cidr of receiver.addresses) this.policy.allowTo({ ipBlock: { cidr } }, receiver.port);
  }
}

/**
 * `alertmanager.yml`. Pages go out at once and come again soon; tickets are gathered.
 * @param url of the receiver. @default - nobody is told
 */
function alertmanagerConfiguration({ repeat }: AlertmanagerValues, url?: string): object {
  const every = (factor: number): string => prometheusDuration(Duration.seconds(repeat.toSeconds() / factor));
  return {
    route: {
      receiver: 'default',
      group_by: ['namespace', 'alertname'],
      group_wait: '30s',
      group_interval: '5m',
      repeat_interval: every(1),
      routes: [{ matchers: [`severity="${Severity.PAGE}"`], group_wait: '10s', repeat_interval: every(4) }],
    },
    receivers: [{ name: 'default', ...(url === undefined ? {} : { webhook_configs: [{ url, send_resolved: true }] }) }],
    // Whoever is paged for a job of a namespace needs no ticket for it too.
    inhibit_rules: [
      {
        source_matchers: [`severity="${Severity.PAGE}"`],
        target_matchers: [`severity="${Severity.TICKET}"`],
        equal: ['namespace', 'job'],
      },
    ],
  };
}
