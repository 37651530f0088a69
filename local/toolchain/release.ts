import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LocalError } from '../errors';
import type { Report } from '../report';
import { run } from '../system/run';
import type { Platform, Release } from './tools';

/** A vendor that doesn't answer within this time is not there; the build from the module is the way then. */
const CONNECT_MS = 3_000;
/** A download that brings nothing for this long has died. */
const STALL_MS = 30_000;

/** What became of the one probe of each host, kept for the run: thirteen tools must not wait thirteen times. */
const probes = new Map<string, Promise<boolean>>();

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const finish = (answer: boolean) => (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    // Covers the look-up of the name too, which has no limit of its own.
    const timer = setTimeout(finish(false), CONNECT_MS);
    socket.once('connect', finish(true));
    socket.once('error', finish(false));
  });
}

function address(url: string): { readonly host: string; readonly port: number; readonly key: string } {
  const { hostname, port, protocol } = new URL(url);
  const at = Number(port || (protocol === 'http:' ? 80 : 443));
  return { host: hostname, port: at, key: `${hostname}:${at}` };
}

/** Whether the URL's host takes a connection; asked once a run. */
export function reachable(url: string): Promise<boolean> {
  const { host, port, key } = address(url);
  const known = probes.get(key);
  if (known !== undefined) return known;
  const probe = connects(host, port);
  probes.set(key, probe);
  return probe;
}

/** Downloads to a file and returns its SHA-256; gives up where nothing comes for a while. */
async function fetchTo(url: string, file: string): Promise<string> {
  const controller = new AbortController();
  const give = (): void => controller.abort();
  let timer = setTimeout(give, CONNECT_MS);
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(give, STALL_MS);
  };
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok || response.body === null) throw new LocalError(`${url} answered ${response.status}.`);
    const hash = createHash('sha256');
    const body = Readable.fromWeb(response.body);
    body.on('data', (chunk: Buffer) => {
      alive();
      hash.update(chunk);
    });
    await pipeline(body, fs.createWriteStream(file));
    return hash.digest('hex');
  } finally {
    clearTimeout(timer);
  }
}

/** The release for this machine, if there is one. */
export function releaseHere(releases: Partial<Record<Platform, Release>> | undefined): Release | undefined {
  return releases?.[`${process.platform}-${process.arch}` as Platform];
}

/**
 * Fetches a release into `directory` as an executable `name`.
 *
 * @returns the path, or nothing where the vendor can't be reached (quietly) or the file isn't what it should be (told)
 */
export async function fetchRelease(
  name: string,
  release: Release,
  directory: string,
  report: Report,
): Promise<string | undefined> {
  if (!(await reachable(release.url))) return undefined;
  const download = path.join(directory, `${name}.download`);
  const target = path.join(directory, name);
  try {
    report(`${name}: the vendor’s release`);
    const sha256 = await fetchTo(release.url, download);
    if (sha256 !== release.sha256) {
      report(`${name}: the release does not have its checksum and is not used (${sha256})`);
      return undefined;
    }
    if (release.member === undefined) {
      fs.renameSync(download, target);
    } else {
      const { code, stderr } = await run(['tar', '-xzf', download, '-C', directory, release.member]);
      if (code !== 0) {
        report(`${name}: the release can't be unpacked: ${stderr.trim()}`);
        return undefined;
      }
      fs.renameSync(path.join(directory, release.member), target);
    }
    fs.chmodSync(target, 0o755);
    return target;
  } catch {
    // Cut off half-way, or something in between answers for the vendor: for the rest of the run it is not there.
    probes.set(address(release.url).key, Promise.resolve(false));
    return undefined;
  } finally {
    fs.rmSync(download, { force: true });
  }
}
