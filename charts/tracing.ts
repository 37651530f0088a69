import type { Construct } from 'constructs';
import type { AutoscaledService } from '../components/autoscaled-service';
import { TraceCollector } from '../components/trace-collector';
import type { TracingValues } from './values';

/** Connects services to the collector of traces, where there is one. */
export function addTracing(
  scope: Construct,
  { host, port, namespace }: TracingValues,
  services: readonly AutoscaledService[],
): void {
  if (host === '') return;
  const collector = new TraceCollector(scope, 'trace-collector', {
    ...{ host, port },
    ...(namespace === '' ? {} : { namespace }),
  });
  for (const service of services) service.connects(collector);
}
