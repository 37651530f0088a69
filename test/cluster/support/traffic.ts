import { setTimeout as sleep } from 'node:timers/promises';

import { request } from '../../support/cluster';

/** Requests to the runtime's public address, one after the other until it is told to end; what was no 200 is kept. */
export class Traffic {
  public sent = 0;
  /** Of each request that failed: when, how long it took, and the answer or the error. */
  public readonly failed: string[] = [];
  private going = true;
  private readonly done: Promise<void>;

  /** @param target path, or a whole URL */
  public constructor(private readonly target: string) {
    this.done = this.run();
  }

  public async end(): Promise<void> {
    this.going = false;
    await this.done;
  }

  private async run(): Promise<void> {
    while (this.going) {
      this.sent++;
      const began = new Date();
      const fail = (what: string): unknown =>
        this.failed.push(`${began.toISOString()}, after ${Date.now() - began.getTime()} ms: ${what}`);
      await request(this.target).then(
        ({ status, body }) => status === 200 || fail(`${status} ${body.slice(0, 200)}`),
        (error: unknown) => fail(String(error)),
      );
      await sleep(100);
    }
  }
}
