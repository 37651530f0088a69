import { App } from 'cdk8s';
import type { NoaServerValues } from '../charts/noa-server';
import { NoaServer } from '../charts/noa-server';
import type { NoodleCoreValues } from '../charts/noodle-core';
import { NoodleCore } from '../charts/noodle-core';
import type { ObservabilityValues } from '../charts/observability';
import { Observability } from '../charts/observability';
import { noaServerValues } from './noa-server';
import { noodleCoreValues } from './noodle-core';
import { observabilityValues } from './observability';
import type { Settings } from './schema';

/** Images and secrets of every system: Outputs in a deployment, references in a render. */
export interface PlatformValues {
  readonly noodleCore: Pick<NoodleCoreValues, 'images' | 'secrets'>;
  readonly noaServer: Pick<NoaServerValues, 'images' | 'secrets'>;
  readonly observability: Pick<ObservabilityValues, 'images' | 'secrets' | 'receiverUrl'>;
}

/** The whole definition of one environment, as a function of its settings and late values. */
export function buildPlatform(settings: Settings, values: PlatformValues): App {
  const app = new App();
  const systems = [
    new NoodleCore(app, 'noodle-core', { ...noodleCoreValues(settings), ...values.noodleCore }),
    new NoaServer(app, 'noa-server', { ...noaServerValues(settings), ...values.noaServer }),
  ];
  new Observability(app, 'observability', { ...observabilityValues(settings), ...values.observability }, systems);
  return app;
}
