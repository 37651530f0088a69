import type { Construct } from 'constructs';
import { declareExternal } from './external';
import type { Volume, VolumeMount } from './kube';
import type { Problems } from './validation';

/** Where a volume with models is mounted. */
const MODELS = '/models';

/** Where the weights of a model are. */
export class ModelSource {
  /**
   * In the image.
   * @param path absolute path of the GGUF file. @default "/models/model.gguf"
   */
  public static baked(path = `${MODELS}/model.gguf`): ModelSource {
    return new ModelSource(path);
  }

  /**
   * On a volume that exists, mounted read-only. Several pods need one that several nodes can mount.
   * @param claim the PersistentVolumeClaim, in the namespace of the deployment
   * @param path path of the GGUF file on the volume, such as `qwen/q4.gguf`
   */
  public static fromVolume(claim: { readonly name: string }, path: string): ModelSource {
    return new ModelSource(`${MODELS}/${path}`, claim.name);
  }

  private constructor(
    private readonly path: string,
    private readonly claim?: string,
  ) {}

  /** Absolute path in the container. @internal */
  public get _path(): string {
    return this.path;
  }

  /** Directory that the component mounts something over. @internal */
  public get _directories(): readonly string[] {
    return this.claim === undefined ? [] : [MODELS];
  }

  /** @internal */
  public get _volumes(): readonly Volume[] {
    if (this.claim === undefined) return [];
    return [{ name: 'models', persistentVolumeClaim: { claimName: this.claim, readOnly: true } }];
  }

  /** @internal */
  public get _mounts(): readonly VolumeMount[] {
    return this.claim === undefined ? [] : [{ name: 'models', mountPath: MODELS, readOnly: true }];
  }

  /** Says that somebody else makes the claim. @internal */
  public _declare(scope: Construct): void {
    if (this.claim !== undefined) declareExternal(scope, 'PersistentVolumeClaim', this.claim);
  }

  /** @internal */
  public _check(problems: Problems): void {
    problems.dnsSubdomain('model: claim', this.claim);
    const plain = /^(\/[\w.+-]+)+$/.test(this.path) && !/\/\.\.?(\/|$)/.test(this.path);
    problems.require(plain, `model: '${this.path}' is not a plain path to a file`);
  }
}
