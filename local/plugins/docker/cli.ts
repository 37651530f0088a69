import { spawn } from 'node:child_process';

import { ProviderError } from '../shared/provider';
import { redact } from '../shared/values';

/** How to reach an engine; empty fields leave the user's own environment as it is. */
export interface DockerEnvironment {
  readonly host?: string | undefined;
  readonly certPath?: string | undefined;
  /** A directory with its own config.json, so that a login is seen by this call alone. */
  readonly configDir?: string | undefined;
}

export interface RunOptions {
  readonly environment: DockerEnvironment;
  readonly signal: AbortSignal;
  /** Additional variables, for values that must not be on a command line. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Texts that no line and no message may show. */
  readonly secrets?: readonly string[];
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  readonly code: number;
  /** Both outputs in the order in which they came, secrets removed. */
  readonly lines: readonly string[];
}

/** How many lines of a long output are kept for a message. */
const KEPT_LINES = 400;

function variables({ environment, env }: RunOptions): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...(environment.host !== undefined && { DOCKER_HOST: environment.host }),
    ...(environment.certPath !== undefined && { DOCKER_CERT_PATH: environment.certPath, DOCKER_TLS_VERIFY: '1' }),
    ...(environment.configDir !== undefined && { DOCKER_CONFIG: environment.configDir }),
    // A hint of the CLI's own would be taken for output of the build.
    DOCKER_CLI_HINTS: 'false',
    ...env,
  };
}

/** Splits a stream into lines; a carriage return ends a line of progress. */
function lineReader(take: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  let rest = '';
  return {
    write(chunk) {
      const parts = (rest + chunk.toString('utf8')).split(/\r?\n|\r/);
      rest = parts.pop() ?? '';
      parts.forEach(take);
    },
    end() {
      if (rest !== '') take(rest);
    },
  };
}

/** Runs `docker` and gives its lines as they come. Rejects only where it can't run at all or was cancelled. */
export function docker(args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, {
      env: variables(options),
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: options.signal,
    });
    const lines: string[] = [];
    const take = (raw: string): void => {
      const line = redact(raw.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '').trimEnd(), options.secrets ?? []);
      if (line === '') return;
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      options.onLine?.(line);
    };
    for (const stream of [child.stdout, child.stderr]) {
      const reader = lineReader(take);
      stream.on('data', (chunk: Buffer) => reader.write(chunk));
      stream.on('end', () => reader.end());
    }
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', (error: NodeJS.ErrnoException) => reject(startProblem(error)));
    child.on('close', (code) => resolve({ code: code ?? 1, lines }));
  });
}

function startProblem(error: NodeJS.ErrnoException): Error {
  if (error.name === 'AbortError') return new ProviderError('cancelled');
  if (error.code !== 'ENOENT') return new ProviderError(`docker can't be started: ${error.message}`);
  return new ProviderError('Images are built with Docker, and there is no docker command on PATH.', {
    fix: 'install Docker, on Debian: apt-get install docker.io',
  });
}

/** The one problem that explains all others, where it is there: no engine, or no access to it. */
export function engineProblem(lines: readonly string[]): ProviderError | undefined {
  const text = lines.join('\n');
  if (/permission denied.*docker.*(socket|daemon|API)/is.test(text)) {
    return new ProviderError('The Docker engine refuses this user.', {
      fix: 'sudo usermod -aG docker "$USER", then log in again',
    });
  }
  if (
    /Cannot connect to the Docker daemon|Is the docker daemon running|failed to connect to the docker API|error during connect/i.test(
      text,
    )
  ) {
    const where = /at ((?:unix|tcp|ssh|npipe):\/\/\S*[^\s.])/i.exec(text)?.[1];
    return new ProviderError(`No Docker engine answers${where === undefined ? '' : ` at ${where}`}.`, {
      fix: 'start it (systemctl start docker), or point DOCKER_HOST at one that runs',
    });
  }
  return undefined;
}
