import { setTimeout as sleep } from 'node:timers/promises';

import { request } from '../../support/cluster';

/** Requests to the runtime's public address, one after the other until it is told to end; what was no 200 is kept. */
export class Traffic {
  public sent = 0;
  /** Status, or error, of each request that failed. */
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
      await request(this.target).then(
        ({ status }) => status === 200 || this.failed.push(String(status)),
        (error: unknown) => this.failed.push(String(error)),
      );
      await sleep(100);
    }
  }
}
