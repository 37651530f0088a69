import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { run } from '../../../local/process';
import { ALERT_PACKAGES, installPackages, missingPackages, PACKAGES } from '../../../local/system';
import type { SystemPackage } from '../../../local/system';
import { withoutServices } from '../../../local/system/policy';
import { typescript } from '../../../local/paths';

const ABSENT: readonly SystemPackage[] = [
  { name: 'no-such-package-1', provides: 'no-such-program-1', why: 'one reason' },
  { name: 'no-such-package-2', provides: '/no/such/file', why: 'another' },
  { name: 'bash', provides: 'bash', why: 'there already' },
];

describe('packages', () => {
  test('are missing when their program is, wherever it would come from', () => {
    expect(missingPackages({ from: ABSENT }).map((each) => each.name)).toEqual([
      'no-such-package-1',
      'no-such-package-2',
    ]);
  });

  test('of the engine are not needed where one answers', () => {
    const engine = [{ name: 'no-engine', provides: 'no-such-program', why: 'builds', engine: true }];
    expect(missingPackages({ from: engine })).toHaveLength(1);
    expect(missingPackages({ from: engine, engineAnswers: true })).toEqual([]);
  });

  test('have names of their own and say what they are for', () => {
    const all = [...PACKAGES, ...ALERT_PACKAGES];
    expect(new Set(all.map((each) => each.name)).size).toBe(all.length);
    expect(all.filter((each) => each.why.length < 5)).toEqual([]);
  });
});

describe('installation', () => {
  const told = (): { lines: string[]; report: (line: string) => void } => {
    const lines: string[] = [];
    return { lines, report: (line) => void lines.push(line) };
  };

  test('does nothing where nothing is missing', async () => {
    const { lines, report } = told();
    await expect(installPackages(report, { packages: ABSENT.slice(2) })).resolves.toEqual([]);
    expect(lines).toEqual([]);
  });

  test('names the packages, asks once on a terminal, and a refusal installs nothing', async () => {
    const { lines, report } = told();
    const questions: string[] = [];
    const prompt = (question: string): Promise<boolean> => {
      questions.push(question);
      return Promise.resolve(false);
    };
    const refused = installPackages(report, { packages: ABSENT, interactive: true, prompt, uid: 0 });
    await expect(refused).rejects.toThrow(
      /Not installed: no-such-package-1, no-such-package-2\.\n {2}To mend it: sudo apt-get install .*no-such-package-1/,
    );
    expect(questions).toEqual(['Install the Debian packages no-such-package-1, no-such-package-2?']);
    expect(lines).toEqual(['missing: no-such-package-1 (one reason)', 'missing: no-such-package-2 (another)']);
  });

  test('needs root, and says with which command', async () => {
    const refused = installPackages(told().report, { packages: ABSENT, interactive: false, uid: 1000 });
    await expect(refused).rejects.toThrow(/Only root can install packages\.\n {2}To mend it: sudo apt-get install/);
  });

  test('where apt-get is missing, names the programs instead', async () => {
    const refused = installPackages(told().report, { packages: ABSENT, hasApt: false, uid: 0 });
    await expect(refused).rejects.toThrow(/has no apt-get; .* missing: no-such-program-1, \/no\/such\/file\./);
  });

  test('of a package that apt does not know is refused by name', async () => {
    const { lines, report } = told();
    const known = { hasApt: true, interactive: false, uid: 0, update: () => Promise.resolve() };
    const refused = installPackages(report, { packages: ABSENT, ...known });
    await expect(refused).rejects.toThrow(/apt knows no package no-such-package-1, no-such-package-2;/);
    expect(lines).toContain('no terminal to ask on: installing them');
  });
});

describe('while packages are installed', () => {
  let root: string;
  let policy: string;
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-policy-'));
    policy = path.join(root, 'usr/sbin/policy-rc.d');
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  test('no service may start, and the policy is gone afterwards', async () => {
    const answer = await withoutServices(async () => (await run([policy, 'etcd', 'start'])).code, root);
    expect(answer).toBe(101);
    expect(fs.existsSync(policy)).toBe(false);
  });

  test('the policy is gone after a failure too', async () => {
    await expect(withoutServices(() => Promise.reject(new TypeError('apt failed')), root)).rejects.toThrow(
      'apt failed',
    );
    expect(fs.existsSync(policy)).toBe(false);
    expect(process.listenerCount('SIGINT')).toBe(0);
  });

  test('the policy of someone else stays as it is', async () => {
    fs.mkdirSync(path.dirname(policy), { recursive: true });
    fs.writeFileSync(policy, '#!/bin/sh\nexit 0\n', { mode: 0o700 });
    const during = await withoutServices(() => Promise.resolve(fs.readFileSync(policy, 'utf8')), root);
    expect(during).toBe('#!/bin/sh\nexit 0\n');
    expect(fs.readFileSync(policy, 'utf8')).toBe('#!/bin/sh\nexit 0\n');
  });

  const program = (body: string): string =>
    `const { withoutServices } = require(${JSON.stringify(path.resolve('local/system/policy.ts'))});` +
    `withoutServices(() => new Promise(() => { ${body} }), ${JSON.stringify(root)});`;
  const node = (body: string) =>
    run([process.execPath, ...typescript, '--eval', program(body)], {
      cwd: process.cwd(),
    });

  test('an interrupt takes the policy away and ends the process as it would have', async () => {
    const { code, stdout } = await node(
      'setInterval(() => {}, 1000); process.stdout.write("in"); process.kill(process.pid, "SIGTERM")',
    );
    expect([code, stdout]).toEqual([143, 'in']);
    expect(fs.existsSync(policy)).toBe(false);
  });

  test('what a killed run left is replaced and removed', async () => {
    expect((await node('process.kill(process.pid, "SIGKILL")')).code).toBe(137);
    expect(fs.existsSync(policy)).toBe(true);
    const during = await withoutServices(async () => (await run([policy])).code, root);
    expect(during).toBe(101);
    expect(fs.existsSync(policy)).toBe(false);
  });
});
