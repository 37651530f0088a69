import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { LOGS_VARIABLE, setEngineLogs } from '../../../local/engine/engine-logs';

let home: string;
let logs: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-logs-'));
  logs = path.join(home, 'logs');
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

test('a file stands where the folder would be, so that the engine cannot make it, and says what brings it back', () => {
  setEngineLogs(home, {});
  expect(() => fs.mkdirSync(logs, { recursive: true })).toThrow('EEXIST');
  expect(fs.readFileSync(logs, 'utf8')).toContain(`${LOGS_VARIABLE}=true`);
});

test('logs of earlier runs go, and nothing else of the home', () => {
  fs.mkdirSync(logs);
  fs.writeFileSync(path.join(logs, 'pulumi-1.log'), 'x');
  fs.writeFileSync(path.join(home, 'credentials.json'), '{}');
  setEngineLogs(home, { [LOGS_VARIABLE]: 'false' });
  expect(fs.statSync(logs).isFile()).toBe(true);
  expect(fs.readdirSync(home).sort()).toEqual(['credentials.json', 'logs']);
});

test('a home that is not there yet is made', () => {
  setEngineLogs(path.join(home, 'new'), {});
  expect(fs.readdirSync(path.join(home, 'new'))).toEqual(['logs']);
});

test('asked for, they are written again, and those that are there stay', () => {
  setEngineLogs(home, {});
  setEngineLogs(home, { [LOGS_VARIABLE]: 'true' });
  expect(fs.existsSync(logs)).toBe(false);
  fs.mkdirSync(logs);
  fs.writeFileSync(path.join(logs, 'pulumi-1.log'), 'x');
  setEngineLogs(home, { [LOGS_VARIABLE]: 'true' });
  expect(fs.readdirSync(logs)).toEqual(['pulumi-1.log']);
});
