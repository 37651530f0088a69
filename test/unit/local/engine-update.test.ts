import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { formatErrors, labelOf, Progress, type EngineEvent } from '../../../local/engine/events';
import { InterruptedError, runUpdate } from '../../../local/engine/update';

const URN = 'urn:pulumi:dev::trellis::trellis:Release$kubernetes:apps/v1:Deployment::noodle-core/runtime';
const OTHER = 'urn:pulumi:dev::trellis::kubernetes:core/v1:Secret::redis';
const STACK = 'urn:pulumi:dev::trellis::pulumi:pulumi:Stack::trellis-dev';

const begun = (urn: string): EngineEvent => ({ resourcePreEvent: { metadata: { op: 'create', urn, type: 't' } } });
const ended = (urn: string): EngineEvent => ({ resOutputsEvent: { metadata: { op: 'create', urn, type: 't' } } });
const error = (message: string, urn?: string): EngineEvent => ({
  diagnosticEvent: { message, severity: 'error', ...(urn === undefined ? {} : { urn }) },
});

describe('progress', () => {
  test('counts what is done and names what runs, the stack itself not', () => {
    const progress = new Progress(42);
    for (const event of [begun(STACK), begun(OTHER), ended(OTHER), begun(URN)]) progress.add(event);
    expect(progress.line()).toBe('1/42 resources, now: Deployment noodle-core/runtime');
  });

  test('grows its total with what is seen', () => {
    const progress = new Progress();
    for (const urn of ['a', 'b', 'c', 'd', 'e'].map((name) => `${OTHER}-${name}`)) progress.add(begun(urn));
    expect(progress.line()).toBe('0/5 resources, now: Secret redis-a, Secret redis-b, Secret redis-c and 2 more');
  });

  test('sums up in words', () => {
    const progress = new Progress();
    progress.add({ summaryEvent: { resourceChanges: { create: 2, update: 1, same: 40 } } });
    expect(progress.summary()).toBe('2 created, 1 updated, 40 unchanged');
    expect(progress.unchanged).toBe(false);
  });

  test('says that nothing changed', () => {
    const progress = new Progress();
    progress.add(ended(OTHER));
    progress.add({ summaryEvent: { resourceChanges: { same: 1, read: 1 } } });
    expect(progress.summary()).toBe('no changes, 1 resources');
    expect(progress.unchanged).toBe(true);
  });

  test('keeps each error once, without colours and without the stack’s own "update failed"', () => {
    const progress = new Progress();
    const text = '<{%fg 1%}>image is missing<{%reset%}>\nsecond line';
    for (const event of [error(text, URN), error(text, URN), error('update failed', STACK), error('bad', STACK)])
      progress.add(event);
    expect(formatErrors(progress.errors)).toBe(
      '  Deployment noodle-core/runtime: image is missing\n    second line\n  bad',
    );
  });

  test('labels any URN', () => {
    expect(labelOf('odd')).toBe('odd');
    expect(labelOf(OTHER)).toBe('Secret redis');
  });
});

describe('an update', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-update-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** Stands in for the CLI: writes events to where `--event-log` points, then ends. */
  function fake(events: readonly EngineEvent[], rest: string): string {
    const file = path.join(folder, 'pulumi');
    fs.writeFileSync(path.join(folder, 'events'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const script = `#!/bin/bash\necho "$*" > ${folder}/args\nenv > ${folder}/env\nlog="\${@: -1}"\ncat ${folder}/events >> "$log"\n${rest}\n`;
    fs.writeFileSync(file, script, { mode: 0o755 });
    return file;
  }
  const update = (pulumi: string, onProgress?: (line: string) => void) =>
    runUpdate({
      verb: 'up',
      stack: 'dev',
      pulumi,
      env: { SOME: 'value' },
      folder,
      ...(onProgress === undefined ? {} : { onProgress }),
    });

  test('reports progress and its summary', async () => {
    const lines: string[] = [];
    const summary = { summaryEvent: { resourceChanges: { create: 1 } } };
    const result = await update(fake([begun(OTHER), ended(OTHER), summary], 'exit 0'), (line) => lines.push(line));
    expect(result).toEqual({ summary: '1 created', unchanged: false });
    expect(lines.at(-1)).toBe('1/1 resources');
  });

  test('asks the cluster first where it is told to', async () => {
    await runUpdate({ verb: 'up', stack: 'dev', refresh: true, pulumi: fake([], 'exit 0'), env: {}, folder });
    expect(fs.readFileSync(path.join(folder, 'args'), 'utf8')).toMatch(/ -s dev --refresh --event-log /);
  });

  test('asks for nothing, shows no output of the stack, and prints no secret by a debug switch', async () => {
    await update(fake([], 'exit 0'));
    const args = fs.readFileSync(path.join(folder, 'args'), 'utf8');
    expect(args).toMatch(/^up --yes --skip-preview --non-interactive --suppress-outputs -s dev --event-log /);
    expect(args).not.toMatch(/logtostderr| -v/);
    expect(fs.readFileSync(path.join(folder, 'env'), 'utf8')).toContain('SOME=value');
  });

  test('that fails tells the resource’s own words and nothing else of the output', async () => {
    const failed = update(fake([error('crash: exit 7', URN)], 'echo much noise; exit 255'));
    await expect(failed).rejects.toThrow('ended with code 255.\n  Deployment noodle-core/runtime: crash: exit 7');
    await expect(failed).rejects.not.toThrow('noise');
  });

  test('that fails before its first event tells what the CLI said', async () => {
    await expect(update(fake([], 'echo "error: incorrect passphrase" >&2; exit 255'))).rejects.toThrow(
      'incorrect passphrase',
    );
  });

  test('leaves no event log behind', async () => {
    await update(fake([], 'exit 0'));
    const log = fs.readFileSync(path.join(folder, 'args'), 'utf8').trim().split(' ').at(-1) ?? '';
    expect(log).toContain('events');
    expect(fs.existsSync(path.dirname(log))).toBe(false);
  });

  test('is interrupted, not killed, and its end is awaited', async () => {
    const pulumi = fake(
      [],
      `trap 'echo written > ${folder}/state; exit 1' INT; touch ${folder}/ready; while :; do sleep 0.05; done`,
    );
    const running = update(pulumi);
    while (!fs.existsSync(path.join(folder, 'ready'))) await new Promise((resolve) => setTimeout(resolve, 20));
    process.emit('SIGINT');
    await expect(running).rejects.toThrow(InterruptedError);
    expect(fs.readFileSync(path.join(folder, 'state'), 'utf8')).toBe('written\n');
  });

  test('without a CLI is one message', async () => {
    await expect(update(path.join(folder, 'missing'))).rejects.toThrow("pulumi can't be started");
  });
});
