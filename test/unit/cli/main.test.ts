import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { typescript } from '../../../local/paths';

const ROOT = path.resolve(__dirname, '../../..');
let home: string;

beforeAll(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-cli-'));
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

/** The real command, with a state of its own. */
function trellis(args: readonly string[], env: Record<string, string> = {}) {
  const result = spawnSync(process.execPath, [...typescript, 'cli/main.ts', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, HOME: home, NODE_NO_WARNINGS: '1', ...env },
  });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

const VERBS = [
  ...['up', 'preview', 'down', 'status', 'logs', 'verify', 'scale', 'rollback', 'restart', 'canary'],
  ...['backup', 'restore', 'env', 'doctor', 'promote', 'render', 'seal', 'diff', 'rotate', 'test'],
];

test('help names every verb, shows what to type first, and lists the exit codes', () => {
  const { code, stdout } = trellis(['--help']);
  expect(code).toBe(0);
  for (const verb of VERBS) expect(stdout).toMatch(new RegExp(`^  ${verb} `, 'm'));
  expect(stdout).toContain('./trellis up ');
  expect(stdout).toContain('Exit codes: 0 done');
});

test('no verb at all shows the help', () => {
  expect(trellis([])).toEqual(trellis(['--help']));
});

test.each(VERBS)('%s has a help of its own', (verb) => {
  const { code, stdout } = trellis([verb, '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: trellis ${verb}`);
});

test.each([
  [['nope'], "unknown command 'nope'"],
  [['up', '-s', 'nope'], 'Allowed choices are dev, staging, prod'],
  [['up', '--nope'], "unknown option '--nope'"],
  [['up', '--wait', 'soon'], 'It must be a number of minutes'],
  [['logs'], "missing required argument 'service'"],
  [['logs', 'x', '--since', 'today'], "--since takes a time such as 30s, 5m or 1h; got 'today'"],
  [['logs', 'x', '-f', '-p'], 'leave out --follow or --previous'],
  [['up', '--set', 'noodleCore.runtime'], '--set takes KEY=VALUE'],
  [['scale', 'noodle-runtime', 'two'], "The number of pods is a whole number from 0 to 9999, got 'two'"],
  [['rollback', 'noodle-runtime', 'last'], "A revision is a whole number, as --list shows them; got 'last'"],
  [['restart', 'noodle-runtime', '--simulate'], '--simulate is for staging and prod'],
  [['canary', 'noodleCore.runtime', '--steps', '50,10'], "each above the one before; got '50,10'"],
  [['canary', 'noodleCore.runtime', '--step-time', '5'], "--step-time takes a time such as 30s, 5m or 1h; got '5'"],
  [['canary', 'noodleCore.runtime', '--objective', '0.9'], 'from 0.931 to below 1'],
  [['canary', 'noodleCore.postgres'], 'There are: noodleCore.runtime, noaServer.ui'],
  [['canary', 'noodleCore.runtime'], 'noodleCore.runtime has no second version to try'],
  [['up', '--simulate'], '--simulate is for staging and prod: dev runs on this machine with real pods'],
  [['status', '-s', 'dev', '--simulate'], '--simulate is for staging and prod'],
  [['down', '-s', 'prod'], 'add --simulate'],
  [['down', '--simulate', '-s', 'dev'], 'Allowed choices are staging, prod'],
  [['seal'], "required option '--cert <file>' not specified"],
  [['render', '--for', 'nope'], 'Allowed choices are argocd, flux'],
  [['render', '--for', 'flux', '-o', 'x'], '--for flux needs -o FOLDER, and --repository'],
  [
    ['test', '--suite', 'unit,nope'],
    "There is no suite 'nope'. There are: static, unit, manifests, engine, cluster, pods, rehearsal, outage.",
  ],
])('wrong usage %j ends with 2 and says what is allowed', (args, message) => {
  const { code, stdout, stderr } = trellis(args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stdout).toBe('');
});

test('--purge without a terminal to ask on and without --yes changes nothing', () => {
  const { code, stderr } = trellis(['down', '--purge'], { TRELLIS_ROOT: home });
  expect(code).toBe(2);
  expect(stderr).toContain('add --yes');
  expect(fs.existsSync(path.join(home, '.trellis'))).toBe(false);
});

test('a stack that was never deployed is one message and exit 1', () => {
  const kubeconfig = path.join(home, 'kubeconfig');
  const { code, stderr } = trellis(['logs', 'x'], { TRELLIS_ROOT: home, KUBECONFIG: kubeconfig });
  expect(code).toBe(1);
  expect(stderr).toContain("No kubeconfig has the context 'trellis-dev'");
  expect(stderr).not.toMatch(/\n\s+at /);
});

test('TRELLIS_DEBUG=1 shows where an error comes from', () => {
  const { stderr } = trellis(['logs', 'x'], { TRELLIS_ROOT: home, TRELLIS_DEBUG: '1' });
  expect(stderr).toMatch(/\n\s+at /);
});

test('another run’s lock is told with exit 4', () => {
  const state = path.join(home, 'locked', '.trellis');
  fs.mkdirSync(state, { recursive: true });
  const holder = { pid: 1, host: 'elsewhere', since: '2026-01-01T00:00:00Z', verb: 'up -s dev', startTime: '1' };
  fs.writeFileSync(path.join(state, 'up.lock'), JSON.stringify(holder));
  const { code, stderr } = trellis(['down'], { TRELLIS_ROOT: path.dirname(state) });
  expect(code).toBe(4);
  expect(stderr).toContain("'./trellis up -s dev' runs since 2026-01-01T00:00:00Z as process 1 on elsewhere");
});
