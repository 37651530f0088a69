import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { EngineEvent, StepMetadata } from '../../../local/engine/events';
import { Planned, planUpdate, type Plan } from '../../../local/engine/preview';

const urnOf = (kind: string, name: string): string =>
  `urn:pulumi:dev::trellis::trellis:cdk8s:ClusterRelease$kubernetes:${kind}::${name}`;
const step = (op: string, kind: string, name: string, more: Partial<StepMetadata> = {}): EngineEvent => ({
  resourcePreEvent: {
    metadata: { op, urn: urnOf(kind, name), type: `kubernetes:${kind}`, provider: 'kubernetes', ...more },
  },
});
const planOf = (...events: readonly EngineEvent[]): Plan => {
  const planned = new Planned();
  for (const event of events) planned.add(event);
  return planned.plan();
};

describe('a plan', () => {
  test('has what is made, changed and deleted, and counts what stays', () => {
    const plan = planOf(
      step('create', 'core/v1:ConfigMap', 'a'),
      step('same', 'core/v1:Service', 'b'),
      step('delete', 'core/v1:Service', 'c'),
      { summaryEvent: { resourceChanges: { same: 40 } } },
    );
    expect(plan).toEqual({
      unchanged: 40,
      changes: [
        { action: 'create', resource: 'ConfigMap a', fields: [] },
        { action: 'delete', resource: 'Service c', fields: [] },
      ],
    });
  });

  test('leaves out what only groups others', () => {
    expect(planOf(step('create', 'x', 'a', { provider: '' })).changes).toEqual([]);
  });

  test('names each field of a change with both its values', () => {
    const old = { inputs: { spec: { containers: [{ image: 'a' }], gone: 1 }, metadata: { labels: { 'a.b/c': 'x' } } } };
    const now = {
      inputs: { spec: { containers: [{ image: 'b' }], fresh: true }, metadata: { labels: { 'a.b/c': 'y' } } },
    };
    const detailedDiff = {
      'spec.containers[0].image': { diffKind: 'update' },
      'spec.gone': { diffKind: 'delete' },
      'spec.fresh': { diffKind: 'add' },
      'metadata.labels["a.b/c"]': { diffKind: 'update' },
    };
    const [change] = planOf(step('update', 'apps/v1:Deployment', 'a', { old, new: now, detailedDiff })).changes;
    expect(change?.fields).toEqual([
      { field: 'spec.containers[0].image', left: 'a', right: 'b', forces: false },
      { field: 'spec.gone', left: 1, forces: false },
      { field: 'spec.fresh', right: true, forces: false },
      { field: 'metadata.labels["a.b/c"]', left: 'x', right: 'y', forces: false },
    ]);
  });

  test('takes the top fields where a provider names no others', () => {
    const [change] = planOf(
      step('update', 'x', 'a', { old: { inputs: { a: 1 } }, new: { inputs: { a: 2 } }, diffs: ['a'] }),
    ).changes;
    expect(change?.fields).toEqual([{ field: 'a', left: 1, right: 2, forces: false }]);
  });

  test('has a replacement once, with the field that forces it', () => {
    const more = {
      old: { inputs: { spec: { template: 1 } } },
      new: { inputs: { spec: { template: 2 } } },
      detailedDiff: { 'spec.template': { diffKind: 'update-replace' } },
    };
    const events = [
      step('create-replacement', 'batch/v1:Job', 'a', more),
      step('replace', 'batch/v1:Job', 'a'),
      step('delete-replaced', 'batch/v1:Job', 'a'),
    ];
    const expected = [
      {
        action: 'replace',
        resource: 'Job a',
        fields: [{ field: 'spec.template', left: 1, right: 2, forces: true }],
      },
    ];
    expect(planOf(...events).changes).toEqual(expected);
    expect(planOf(...[...events].reverse()).changes.map(({ action }) => action)).toEqual(['replace']);
  });

  test('shows no value of a Secret, whatever the engine masked, and says what is not known yet', () => {
    const inputs = (value: string) => ({
      inputs: {
        stringData: { a: value },
        spec: { url: `u:[secret]@h`, image: '04da6b54-80e4-46f7-96ec-b56ff0331ba9' },
      },
    });
    const detailedDiff = {
      'stringData.a': { diffKind: 'update' },
      'spec.url': { diffKind: 'update' },
      'spec.image': { diffKind: 'add' },
    };
    const more = { old: inputs('canary-1'), new: inputs('canary-2'), detailedDiff };
    const plan = planOf(step('update', 'core/v1:Secret', 'a', more));
    expect(JSON.stringify(plan)).not.toContain('canary');
    expect(plan.changes[0]?.fields).toEqual([
      { field: 'stringData.a', left: '(secret)', right: '(secret)', forces: false },
      { field: 'spec.url', left: 'u:(secret)@h', right: 'u:(secret)@h', forces: false },
      { field: 'spec.image', right: '(known when deployed)', forces: false },
    ]);
  });
});

test('a secret that the engine wraps is one, and so is what is below it', () => {
  const wrapped = { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', ciphertext: 'canary' };
  const detailedDiff = { 'spec.a': { diffKind: 'update' }, 'spec.a.b': { diffKind: 'update' } };
  const inputs = { inputs: { spec: { a: wrapped } } };
  const plan = planOf(step('update', 'x', 'a', { old: inputs, new: inputs, detailedDiff }));
  expect(plan.changes[0]?.fields.map(({ left, right }) => [left, right])).toEqual([
    ['(secret)', '(secret)'],
    ['(secret)', '(secret)'],
  ]);
});

describe('a preview that is followed', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-preview-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** Stands in for the CLI: writes events to where `--event-log` points, then ends. */
  function fake(events: readonly EngineEvent[], rest: string): string {
    const file = path.join(folder, 'pulumi');
    fs.writeFileSync(path.join(folder, 'events'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const script = `#!/bin/bash\necho "$*" > ${folder}/args\nlog="\${@: -1}"\ncat ${folder}/events >> "$log"\n${rest}\n`;
    fs.writeFileSync(file, script, { mode: 0o755 });
    return file;
  }

  test('changes nothing, asks for nothing and prints no secret by a switch', async () => {
    const pulumi = fake([step('create', 'x', 'a')], 'exit 0');
    const plan = await planUpdate({ stack: 'prod', pulumi, env: {}, refresh: true, configFile: 'c.yaml' });
    expect(plan.changes.map(({ resource }) => resource)).toEqual(['x a']);
    const args = fs.readFileSync(path.join(folder, 'args'), 'utf8');
    expect(args).toMatch(
      /^preview --non-interactive --suppress-outputs -s prod --refresh --config-file c\.yaml --event-log /,
    );
    expect(args).not.toMatch(/--show-secrets|--logtostderr| -v/);
  });

  test('that fails tells the resource’s own words', async () => {
    const pulumi = fake(
      [{ diagnosticEvent: { message: 'no such context', severity: 'error', urn: urnOf('core/v1:Secret', 'db') } }],
      'exit 255',
    );
    await expect(planUpdate({ stack: 'prod', pulumi, env: {} })).rejects.toThrow('Secret db: no such context');
  });

  test('that fails before its first event tells what the CLI said', async () => {
    const pulumi = fake([], 'echo "error: incorrect passphrase" >&2\nexit 255');
    await expect(planUpdate({ stack: 'prod', pulumi, env: {} })).rejects.toThrow('error: incorrect passphrase');
    await expect(planUpdate({ stack: 'prod', pulumi: fake([], 'exit 7'), env: {} })).rejects.toThrow(
      'ended with code 7',
    );
  });
});
