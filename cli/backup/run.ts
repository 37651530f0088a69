import { setTimeout as sleep } from 'node:timers/promises';
import type * as Client from '@kubernetes/client-node';
import { unreachable, type Connection } from '../cluster/client';
import { CliError } from '../exit';
import type { Report } from '../steps';
import { archivesIn, jobFrom, outcomeOf, waitingFor, type Archive, type JobTask } from './job';

/** How many lines of a pod that failed are shown. */
const SHOWN = 30;

/** Starts Jobs of a CronJob's template and follows them. */
export class JobRunner {
  private readonly batch: Client.BatchV1Api;
  private readonly core: Client.CoreV1Api;

  public constructor(
    private readonly connection: Connection,
    private readonly namespace: string,
  ) {
    const { config, client } = connection;
    this.batch = config.makeApiClient(client.BatchV1Api);
    this.core = config.makeApiClient(client.CoreV1Api);
  }

  /**
   * Runs one task to its end.
   * @returns the archives that it tells of
   * @throws CliError with the pod's own lines where it fails, and before it begins where another run is at work
   */
  public async run(cron: Client.V1CronJob, task: JobTask, progress: Report): Promise<readonly Archive[]> {
    const [active] = cron.status?.active ?? [];
    const name = cron.metadata?.name ?? '';
    if (active !== undefined && task.task !== 'list')
      throw new CliError(
        `${this.namespace}/${name} is at work already: Job ${active.name ?? '?'}. Try again when it has ended.`,
      );
    const job = await this.asked(() =>
      this.batch.createNamespacedJob({ namespace: this.namespace, body: jobFrom(cron, task) }),
    );
    const started = job.metadata?.name ?? '';
    const outcome = await this.ended(started, progress);
    const log = await this.logOf(started);
    // Its volume goes with it, which the next drill needs the room of.
    if (task.task === 'drill') await this.remove(started);
    if (outcome === 'complete') return archivesIn(log.text);
    throw new CliError(
      `${task.task} of ${this.namespace}/${name} failed (Job ${started}, ${log.state}):\n${lastLines(log.text)}`,
    );
  }

  private async remove(name: string): Promise<void> {
    const { namespace } = this;
    await this.asked(() => this.batch.deleteNamespacedJob({ namespace, name, propagationPolicy: 'Background' }));
  }

  private async ended(name: string, progress: Report): Promise<'complete' | 'failed'> {
    for (let told = ''; ;) {
      const job = await this.asked(() => this.batch.readNamespacedJob({ namespace: this.namespace, name }));
      const outcome = outcomeOf(job);
      if (outcome !== undefined) return outcome;
      const line = await this.lineOf(name);
      if (line !== told) progress(line);
      told = line;
      await sleep(1000);
    }
  }

  /** What its pod last said for people, or what it waits for. */
  private async lineOf(job: string): Promise<string> {
    const { text, state } = await this.logOf(job, 5);
    const said = text.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    return said.at(-1) ?? state;
  }

  private async logOf(job: string, tailLines?: number): Promise<{ readonly text: string; readonly state: string }> {
    const { namespace } = this;
    const labelSelector = `batch.kubernetes.io/job-name=${job}`;
    const { items } = await this.asked(() => this.core.listNamespacedPod({ namespace, labelSelector }));
    const [pod] = items;
    const name = pod?.metadata?.name;
    if (name === undefined) return { text: '', state: waitingFor(pod) };
    const request = { namespace, name, ...(tailLines === undefined ? {} : { tailLines }) };
    // A container that hasn't started has no log.
    const text = await this.core.readNamespacedPodLog(request).catch(() => '');
    return { text, state: waitingFor(pod) };
  }

  private asked<T>(ask: () => Promise<T>): Promise<T> {
    return ask().catch((error: unknown) => {
      throw unreachable(this.connection.context, error);
    });
  }
}

const lastLines = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .slice(-SHOWN)
    .map((line) => `  ${line}`)
    .join('\n');
