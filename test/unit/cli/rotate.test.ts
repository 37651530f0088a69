import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { edited } from '../../../cli/verbs/rotate';
import { nextStep } from '../../../stacks/rotation';

const FILE = path.resolve(__dirname, '../../../Pulumi.dev.yaml');

describe('the next step', () => {
  test('leads from one password to the next in three edits, each of one value', () => {
    const [stage, change, retire, again] = [
      [[1], 1],
      [[1, 2], 1],
      [[1, 2], 2],
      [[2], 2],
    ].map(([accepted, used]) => nextStep({ accepted: accepted as number[], used: used as number }));
    expect(stage).toEqual({ step: 'stage', password: { accepted: [1, 2], used: 1 } });
    expect(change).toEqual({ step: 'switch', password: { accepted: [1, 2], used: 2 } });
    expect(retire).toEqual({ step: 'retire', password: { accepted: [2], used: 2 } });
    expect(again).toEqual({ step: 'stage', password: { accepted: [2, 3], used: 2 } });
  });
});

describe('the edit of a file', () => {
  const text = readFileSync(FILE, 'utf8');

  test('changes one value of one password, and no other character', () => {
    const after = edited(text, 'noaServer.redis', { accepted: [1, 2], used: 1 });
    const lines = text.split('\n');
    const changed = after.split('\n').flatMap((line, index) => (line === lines[index] ? [] : [line]));
    expect(changed).toEqual(['      password: { accepted: [1, 2], used: 1 }']);
    const { config } = parse(after) as { config: Record<string, Record<string, { password: unknown }>> };
    expect(config['trellis:noaServer']?.['redis']?.password).toEqual({ accepted: [1, 2], used: 1 });
    expect(config['trellis:noodleCore']?.['redis']?.password).toEqual({ accepted: [1], used: 1 });
  });

  test('refuses a value that is written over several lines', () => {
    const block = text.replace(
      'password: { accepted: [1], used: 1 }',
      'password:\n        accepted: [1]\n        used: 1',
    );
    expect(() => edited(block, 'noodleCore.postgres', { accepted: [1, 2], used: 1 })).toThrow(
      'noodleCore.postgres.password must be written as { accepted: [1, 2], used: 1 }, on one line, to be edited.',
    );
  });
});
