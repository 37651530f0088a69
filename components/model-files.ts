import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duration, Size } from 'cdk8s';
import type { IBackend } from './connections';
import type { Late, LateSecret } from './late';
import { sizeBytes, sizeQuantity } from './units';

/** One file of a model. */
export interface ModelFile {
  /** Path below the model's address, and below its directory. */
  readonly path: string;
  /** SHA-256 of the content, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** How a model is fetched, and where it is kept. */
export interface DownloadOptions {
  /** Version of the model: a commit, a tag or a date. A new one is fetched beside the old one, which pods use until they are replaced. */
  readonly revision: string;
  /** Size of all files together. */
  readonly size: Size;
  /** Image with `sh`, `curl` and `sha256sum`, such as `images/model-fetch`. */
  readonly image: Late;
  /** Sent as a bearer token. @default - none */
  readonly token?: LateSecret;
  /** Addresses (CIDR) that the download may connect to. @default - all but private ones and those of the node's metadata */
  readonly addresses?: readonly string[];
  /** A server in the cluster that has the files; then no address outside is allowed. @default - none */
  readonly server?: IBackend;
  /** Volume that keeps the weights. @default - twice the size and a tenth, for the revision that is served and the next one */
  readonly cache?: Size;
  /** @default - the cluster's default StorageClass */
  readonly storageClass?: Late;
  /** Whether pods on several nodes may read the volume at once, which more than one replica needs. @default false */
  readonly sharedVolume?: boolean;
  /** A download that takes longer has failed. @default - an hour, or the time at 5 MiB a second if that is longer */
  readonly deadline?: Duration;
}

/** The whole of it: address and files. */
export interface DownloadPlan extends DownloadOptions {
  /** Where the files lie; `{revision}` in it is replaced. */
  readonly base: string;
  readonly files: readonly ModelFile[];
}

/** Directory of one revision on the cache: a name that says what it is, and a digest of all that it holds. */
export function modelDirectory({ base, revision, files }: DownloadPlan): string {
  const digest = createHash('sha256').update(JSON.stringify([base, revision, files]));
  return `${revision.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 40)}-${digest.digest('hex').slice(0, 12)}`;
}

/** Address of one file. */
export const fileUrl = ({ base, revision }: DownloadPlan, path: string): string => {
  const [, owner = '', name = '', folder = ''] = /^hf:\/\/([^/]+)\/([^/]+)(\/.+)?$/.exec(base) ?? [];
  const root = owner === '' ? base : `https://huggingface.co/${owner}/${name}/resolve/{revision}${folder}`;
  return `${root.replaceAll('{revision}', revision)}/${path}`;
};

/** Volume of the cache. */
const downloadCacheBytes = (plan: DownloadPlan): number =>
  plan.cache === undefined ? Math.ceil(sizeBytes(plan.size) * 2.1) : sizeBytes(plan.cache);

export const cacheQuantity = (plan: DownloadPlan): string =>
  plan.cache === undefined ? `${Math.ceil(downloadCacheBytes(plan) / 1024 ** 2)}Mi` : sizeQuantity(plan.cache);

/** Whether a text is a range of addresses. */
export const isRange = (text: string): boolean => {
  const [address = '', bits = ''] = text.split('/');
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIP(address) === 4 ? 32 : 128);
};

/** Whether the volume can hold the model at all. */
export const cacheHolds = (plan: DownloadPlan): boolean =>
  plan.cache === undefined || !(sizeBytes(plan.cache) < sizeBytes(plan.size));
