import { createHash } from 'node:crypto';
import * as os from 'node:os';
import * as path from 'node:path';

/** The clone that this file belongs to. Bundles set `TRELLIS_ROOT`, since they lie elsewhere. */
export const root = process.env.TRELLIS_ROOT ?? path.resolve(__dirname, '..');

/** Everything that belongs to this clone alone; ignored by git, removed by `./trellis down --purge`. */
export const stateDir = path.join(root, '.trellis');

/** What every clone on a machine shares: tools, keyed by the hash of what they were made from. */
export const cacheDir =
  process.env.TRELLIS_CACHE_DIR ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'trellis');

/** Six characters that tell this clone's namespace, interfaces and cgroup from another's. */
export const cloneId = createHash('sha256').update(root).digest('hex').slice(0, 6);

/** Where sockets lie that a clone's own path is too long for; a restart of the machine empties it. */
export const runtimeDir = (id = cloneId): string => path.join('/run', `trellis-${id}`);

/** Arguments of Node.js for a program in TypeScript, which follows them. */
export const typescript: readonly string[] = ['--require', path.join(root, 'local', 'register-typescript.js')];

/** A path under this clone's state. */
export const state = (...parts: string[]): string => path.join(stateDir, ...parts);

/** A path in the shared cache. */
export const cache = (...parts: string[]): string => path.join(cacheDir, ...parts);
