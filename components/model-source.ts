import type { Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { declareExternal } from './external';
import type { Volume, VolumeMount } from './kube';
import { LateTokens } from './late';
import { DOWNLOAD_NAME_MAX, MODELS_MOUNT, cacheVolume } from './model-download';
import type { DownloadOptions, DownloadPlan, ModelFile } from './model-files';
import { cacheHolds, fileUrl, isRange, modelDirectory } from './model-files';
import { durationProblem } from './stateful-workload';
import type { Problems } from './validation';

/** A model in one file. */
export interface ModelUri extends DownloadOptions {
  /**
   * `https://…`, `hf://OWNER/NAME/FILE` for Hugging Face, or `http://…` for a server in the cluster; `{revision}` in it is replaced.
   * It is no secret: what a server wants to know goes into `token`.
   */
  readonly uri: string;
  /** SHA-256 of the file, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** A model in several files. */
export interface ModelFiles extends DownloadOptions {
  /** Address of the folder that they lie in; see ModelUri. `hf://OWNER/NAME` is a whole repository of Hugging Face. */
  readonly uri: string;
  readonly files: readonly ModelFile[];
}

interface Spec {
  readonly path: string;
  readonly claim?: string;
  readonly download?: DownloadPlan;
}

/** Where the weights of a model are. */
export class ModelSource {
  /**
   * In the image.
   * @param path absolute path of the GGUF file, or of the folder for vLLM. @default "/models/model.gguf"
   */
  public static baked(path = `${MODELS_MOUNT}/model.gguf`): ModelSource {
    return new ModelSource({ path });
  }

  /**
   * On a volume that exists, mounted read-only. Several pods need one that several nodes can mount.
   * @param claim the PersistentVolumeClaim, in the namespace of the deployment
   * @param path path of the GGUF file or the folder on the volume, such as `qwen/q4.gguf`
   */
  public static fromVolume(claim: { readonly name: string }, path: string): ModelSource {
    return new ModelSource({ path: `${MODELS_MOUNT}/${path}`, claim: claim.name });
  }

  /** One file, downloaded once by a Job to a volume of its own and verified; pods read it from there. */
  public static fromUri(options: ModelUri): ModelSource {
    const { uri, sha256, ...rest } = options;
    const cut = uri.lastIndexOf('/');
    const file = { path: uri.slice(cut + 1), sha256 };
    const download = { ...rest, base: uri.slice(0, cut), files: [file] };
    return new ModelSource({ path: `${MODELS_MOUNT}/${modelDirectory(download)}/${file.path}`, download });
  }

  /** Several files, likewise: what a model consists of for vLLM. */
  public static fromFiles(options: ModelFiles): ModelSource {
    const { uri, ...rest } = options;
    const download = { ...rest, base: uri };
    return new ModelSource({ path: `${MODELS_MOUNT}/${modelDirectory(download)}`, download });
  }

  private constructor(private readonly spec: Spec) {}

  /** Size of what is downloaded; not known of what is there already. */
  public get size(): Size | undefined {
    return this.spec.download?.size;
  }

  /** Absolute path in the container. @internal */
  public get _path(): string {
    return this.spec.path;
  }

  /** @internal */
  public get _download(): DownloadPlan | undefined {
    return this.spec.download;
  }

  /** Directory that the component mounts something over. @internal */
  public get _directories(): readonly string[] {
    return this.spec.claim === undefined && this.spec.download === undefined ? [] : [MODELS_MOUNT];
  }

  /** @internal */
  public _volumes(name: string): readonly Volume[] {
    const { claim, download } = this.spec;
    if (download !== undefined) return [cacheVolume(name).volume];
    return claim === undefined ? [] : [{ name: 'models', persistentVolumeClaim: { claimName: claim, readOnly: true } }];
  }

  /** @internal */
  public _mounts(name: string): readonly VolumeMount[] {
    const { claim, download } = this.spec;
    if (download !== undefined) return [cacheVolume(name).mount];
    return claim === undefined ? [] : [{ name: 'models', mountPath: MODELS_MOUNT, readOnly: true }];
  }

  /** Says that somebody else makes the claim. @internal */
  public _declare(scope: Construct): void {
    if (this.spec.claim !== undefined) declareExternal(scope, 'PersistentVolumeClaim', this.spec.claim);
  }

  /** @internal */
  public _check(problems: Problems, name: string, pods: number): void {
    const { claim, path, download } = this.spec;
    problems.dnsSubdomain('model: claim', claim);
    const plain = /^(\/[\w.+-]+)+$/.test(path) && !/\/\.\.?(\/|$)/.test(path);
    problems.require(plain, `model: '${path}' is not a plain path to a file`);
    if (download === undefined) return;
    problems
      .dnsLabel('name (with a download)', name, DOWNLOAD_NAME_MAX)
      .require(
        pods === 1 || download.sharedVolume === true,
        `model: ${pods} pods may run on several nodes, which only a sharedVolume can serve`,
      );
    checkAddress(problems, download);
    checkFiles(problems, download);
    checkDownload(problems, download);
  }
}

function checkAddress(problems: Problems, { base, revision, server }: DownloadPlan): void {
  problems.require(
    /^[\w][\w.+-]{0,62}$/.test(revision),
    `model: revision '${revision}' is not a commit, a tag or a date (letters, digits, '.', '_', '+', '-', at most 63)`,
  );
  const known = /^(https?:\/\/[^\s/]+|hf:\/\/[\w.-]+\/[\w.-]+)(\/[^\s?#]*)?$/.test(base);
  problems.require(
    known,
    `model: '${base}' is not an address such as https://models.example.com/qwen or hf://owner/name`,
  );
  problems.require(!base.includes('@'), 'model: the address must hold no password; a server is told who asks by token');
  problems.require(
    !base.startsWith('http://') || server !== undefined,
    `model: '${base}' is not encrypted; http is for a server in the cluster, given as server`,
  );
}

function checkFiles(problems: Problems, download: DownloadPlan): void {
  const { files } = download;
  problems.require(files.length > 0, 'model: there must be at least one file');
  for (const [index, { path, sha256 }] of files.entries()) {
    problems
      .require(
        /^[\w.+-]+(\/[\w.+-]+)*$/.test(path) && !/(^|\/)\.\.?(\/|$)/.test(path),
        `model: '${path}' is not a plain path of a file`,
      )
      .require(
        /^[0-9a-f]{64}$/.test(sha256),
        `model: sha256 of '${path}' must be 64 hexadecimal digits, got '${sha256}'`,
      )
      .require(files.findIndex((one) => one.path === path) === index, `model: '${path}' is named twice`);
  }
  // The kernel takes no longer environment variable.
  const bytes = files.reduce((sum, { path }) => sum + 66 + path.length + fileUrl(download, path).length, 0);
  problems.require(
    bytes < 120_000,
    `model: the list of ${files.length} files takes ${bytes} bytes, 120000 are possible`,
  );
}

function checkDownload(problems: Problems, download: DownloadPlan): void {
  const { size, cache, image, addresses = [], server, token, deadline } = download;
  problems
    .size('model: size', size)
    .size('model: cache', cache)
    .require(cacheHolds(download), 'model: cache must be at least the size of the model')
    .require(
      !(server !== undefined && addresses.length > 0),
      'model: addresses have no meaning with a server in the cluster',
    );
  if (typeof image === 'string') problems.image('model: image', image);
  for (const range of addresses) {
    problems.require(isRange(range), `model: '${range}' is not a range of addresses such as 203.0.113.0/24`);
  }
  if (typeof token === 'string' && !LateTokens.isToken(token)) {
    problems.require(/^[\x21-\x7e]+$/.test(token), 'model: token must be printable characters without blanks');
  }
  durationProblem(problems, 'model: deadline', deadline, 60);
}
