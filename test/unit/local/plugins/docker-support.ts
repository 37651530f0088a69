import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { dockerProvider } from '../../../../local/plugins/docker/provider';
import type {
  CheckResponse,
  Context,
  CreateResponse,
  DiffResponse,
  Provider,
} from '../../../../local/plugins/shared/provider';
import type { PropertyMap } from '../../../../local/plugins/shared/values';

const TYPE = 'docker:index/image:Image';
export const DIGEST = `sha256:${'a'.repeat(64)}`;
/** A scratch folder with a build context and a docker command of the test's own, made anew for each test. */
export const scratch = { directory: '', app: '' };
/** What the provider said, as `severity message`. */
export const lines: string[] = [];
const saved = { ...process.env };

/** A docker command that records how it was called and answers as told: `fake.json` maps a subcommand to its answer. */
const FAKE = `#!/usr/bin/env node
const fs = require('fs'), path = require('path');
const home = path.dirname(__filename), args = process.argv.slice(2);
const input = fs.readFileSync(0, 'utf8');
const { DOCKER_CONFIG, DOCKER_HOST, DOCKER_BUILDKIT, TOKEN } = process.env;
fs.appendFileSync(path.join(home, 'calls'), JSON.stringify({ args, input, DOCKER_CONFIG, DOCKER_HOST, DOCKER_BUILDKIT, TOKEN }) + '\\n');
const answers = JSON.parse(fs.readFileSync(path.join(home, 'fake.json'), 'utf8'));
const { code = 0, out = '', err = '' } = answers[args[0]] ?? {};
process.stdout.write(out); process.stderr.write(err); process.exitCode = code;
`;
interface Call {
  readonly args: readonly string[];
  readonly input: string;
  readonly DOCKER_CONFIG?: string;
  readonly DOCKER_HOST?: string;
  readonly DOCKER_BUILDKIT?: string;
  readonly TOKEN?: string;
}
export const calls = (): readonly Call[] =>
  fs
    .readFileSync(path.join(scratch.directory, 'bin', 'calls'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Call);
export const answer = (answers: Record<string, { code?: number; out?: string; err?: string }>): void =>
  fs.writeFileSync(path.join(scratch.directory, 'bin', 'fake.json'), JSON.stringify(answers));

/** Call once in a suite: each test gets its scratch folder and its docker command. */
export function withFakeDocker(): void {
  beforeEach(() => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-docker-test-'));
    const app = path.join(directory, 'app');
    Object.assign(scratch, { directory, app });
    fs.mkdirSync(path.join(directory, 'bin'));
    fs.mkdirSync(app);
    fs.writeFileSync(path.join(app, 'Dockerfile'), 'FROM scratch\n');
    fs.writeFileSync(path.join(directory, 'bin', 'docker'), FAKE, { mode: 0o755 });
    answer({ push: { out: `dev: digest: ${DIGEST} size: 528\n` }, image: { out: `${DIGEST}\n` } });
    process.env = { ...saved, PATH: `${path.join(directory, 'bin')}:${path.dirname(process.execPath)}:/usr/bin:/bin` };
    delete process.env['DOCKER_HOST'];
    lines.length = 0;
  });
  afterEach(() => {
    process.env = saved;
    fs.rmSync(scratch.directory, { recursive: true, force: true });
  });
}

export const context = (type = TYPE): Context => ({
  urn: 'urn:pulumi:dev::p::x::image',
  type,
  name: 'image',
  signal: new AbortController().signal,
  log: (severity, message) => void lines.push(`${severity} ${message}`),
});
export const inputs = (more: PropertyMap = {}, build: PropertyMap = {}): PropertyMap => ({
  imageName: 'localhost:5000/team/app:dev',
  build: { context: scratch.app, ...build },
  buildOnPreview: false,
  skipPush: false,
  ...more,
});
export const check = async (news: PropertyMap): Promise<CheckResponse> =>
  (await dockerProvider().check?.({ news, olds: {}, randomSeed: new Uint8Array() }, context())) as CheckResponse;
export const create = async (
  given: PropertyMap,
  provider: Provider = dockerProvider(),
  preview = false,
): Promise<CreateResponse> =>
  (await provider.create?.({ inputs: (await check(given)).inputs, preview, timeout: 0 }, context())) as CreateResponse;
export const diff = (olds: PropertyMap, news: PropertyMap): DiffResponse =>
  dockerProvider().diff?.({ id: 'x', olds, oldInputs: {}, news, ignoreChanges: [] }, context()) as DiffResponse;
