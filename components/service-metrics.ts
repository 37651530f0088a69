import { Duration } from 'cdk8s';
import type { Problems } from './validation';

/** What a service tells of itself, and what of it is promised to its users. */
export interface ServiceMetricsOptions {
  /** Where its metrics are, on the port that it serves on. @default '/metrics' */
  readonly path?: string;
  /**
   * Histogram of the requests' seconds with the labels `status` and, where there is one, `route`.
   * @default 'http_request_duration_seconds'
   */
  readonly histogram?: string;
  /** Share of requests within 30 days that do not end with a status of 500 or above. @default 0.999 */
  readonly availability?: number;
  /** Share of requests within 30 days that are answered within `latency`. @default 0.99 */
  readonly promptness?: number;
  /** One of the histogram's bounds. @default Duration.seconds(1) */
  readonly latency?: Duration;
  /** Routes that take their time and are left out of `promptness`, as the label has them. @default - none */
  readonly slowRoutes?: readonly string[];
}

/** Whether and how a service is watched. */
export class ServiceMetrics {
  /** A service with metrics in the format of Prometheus. */
  public static prometheus(options: ServiceMetricsOptions = {}): ServiceMetrics {
    const { path = '/metrics', histogram = 'http_request_duration_seconds', slowRoutes = [] } = options;
    const { availability = 0.999, promptness = 0.99, latency = Duration.seconds(1) } = options;
    return new ServiceMetrics({ path, histogram, slowRoutes, availability, promptness, latency });
  }

  /** A service without metrics: nothing is scraped, and nothing is alerted on. */
  public static none(): ServiceMetrics {
    return new ServiceMetrics(undefined);
  }

  private constructor(
    /** The options with every default filled in; nothing where there are no metrics. */
    public readonly settings: Required<ServiceMetricsOptions> | undefined,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    if (this.settings === undefined) return;
    const { path, histogram, latency, slowRoutes } = this.settings;
    const milliseconds = latency.toMilliseconds({ integral: false });
    problems
      .require(/^\/[^\s?#]*$/.test(path), `metrics.path must be a path that starts with '/', got '${path}'`)
      .require(
        /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(histogram),
        `metrics.histogram must be the name of a metric, got '${histogram}'`,
      )
      .require(
        Number.isInteger(milliseconds) && milliseconds > 0,
        `metrics.latency must be whole milliseconds, at least 1, got ${milliseconds}`,
      );
    for (const which of ['availability', 'promptness'] as const) {
      const share = this.settings[which];
      // With a larger budget even nothing but errors would not burn it fast enough for a page.
      problems.require(share >= 0.95 && share < 1, `metrics.${which} must be from 0.95 to below 1, got ${share}`);
    }
    for (const route of slowRoutes) {
      problems.require(
        /^\/[^\s"\\]*$/.test(route),
        `metrics.slowRoutes: '${route}' must be a path that starts with '/'`,
      );
    }
  }
}
