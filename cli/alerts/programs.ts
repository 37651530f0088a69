import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../exit';

/** Programs that run until the work is done, in a folder of their own that is gone afterwards. */
export class Programs {
  public readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-metrics-'));
  private readonly running: ChildProcess[] = [];

  /** Starts a program; what it says is kept in a file of the folder. */
  public start(
    argv: readonly string[],
    options: { readonly env?: Record<string, string>; readonly cwd?: string } = {},
  ): void {
    const [program = '', ...args] = argv;
    const log = fs.openSync(path.join(this.folder, `${this.running.length}-${path.basename(program)}.log`), 'w');
    const child = spawn(program, args, {
      cwd: options.cwd ?? this.folder,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', log, log],
    });
    fs.closeSync(log);
    this.running.push(child);
  }

  /** What an address answers once it answers with `pattern` in it, within half a minute. */
  public async ask(url: string, pattern: RegExp): Promise<string> {
    for (let tries = 0; tries < 60; tries++) {
      const text = await fetch(url).then(
        (response) => response.text(),
        () => '',
      );
      if (pattern.test(text)) return text;
      await sleep(500);
    }
    throw new CliError(`${url} did not answer with ${String(pattern)}; see ${this.folder}`);
  }

  /** Ends them, the last one first. */
  public async end(): Promise<void> {
    for (const child of this.running.splice(0).reverse()) {
      if (child.exitCode !== null) continue;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await Promise.race([gone, sleep(5000).then(() => child.kill('SIGKILL'))]);
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
