import type { Construct } from 'constructs';
import { declareExternal } from './external';
import type { Labels } from './kube';
import { kubeObject } from './kube';
import type { LateSecret } from './late';
import { LateTokens } from './late';
import { retain } from './stateful-workload';
import type { RemovalPolicy } from './release-options';
import type { Problems } from './validation';

/** What opens an archive. */
export interface ArchiveKeysOptions {
  /** Encrypts everything that leaves the server; at least 16 characters. Without it nobody can read the archive, ever. */
  readonly passphrase: LateSecret;
  /**
   * Name and secret of a bucket's user, who reads, writes, lists and deletes below the archive's prefix.
   * @default - none, which is right for a volume only
   */
  readonly access?: { readonly id: LateSecret; readonly secret: LateSecret };
}

const PASSPHRASE = 'PASSPHRASE';
const ACCESS = { id: 'ACCESS_KEY_ID', secret: 'SECRET_ACCESS_KEY' } as const;

type Source =
  | { readonly kind: 'values'; readonly options: ArchiveKeysOptions }
  | { readonly kind: 'secret'; readonly name: string };

/** Passphrase of an archive and access to its bucket. They reach pgBackRest as a file in memory, and nothing else. */
export class ArchiveKeys {
  /** Kept in a Secret of the component's. */
  public static of(options: ArchiveKeysOptions): ArchiveKeys {
    return new ArchiveKeys({ kind: 'values', options });
  }

  /**
   * A Secret that exists in the database's namespace, with `PASSPHRASE`, and for a bucket `ACCESS_KEY_ID` and `SECRET_ACCESS_KEY`. What
   * recovers from the archive in another place needs the same.
   */
  public static fromSecret(name: string): ArchiveKeys {
    return new ArchiveKeys({ kind: 'secret', name });
  }

  private constructor(private readonly source: Source) {}

  /** @param own the name where the component makes it @internal */
  public _secretName(own: string): string {
    return this.source.kind === 'secret' ? this.source.name : own;
  }

  /** Keys of the Secret. @internal */
  public _names(bucket: boolean): readonly string[] {
    return [PASSPHRASE, ...(bucket ? [ACCESS.id, ACCESS.secret] : [])];
  }

  /** Makes the Secret, or says that somebody else does. @internal */
  public _addSecret(scope: Construct, id: string, name: string, labels: Labels, removalPolicy: RemovalPolicy): void {
    if (this.source.kind === 'secret') {
      declareExternal(scope, 'Secret', this.source.name);
      return;
    }
    const { passphrase, access } = this.source.options;
    const secret = (value: LateSecret): string => LateTokens.of(scope).asSecret(scope, value);
    const stringData = {
      [PASSPHRASE]: secret(passphrase),
      ...(access === undefined ? {} : { [ACCESS.id]: secret(access.id), [ACCESS.secret]: secret(access.secret) }),
    };
    retain(removalPolicy, kubeObject(scope, id, 'v1/Secret', { name, labels }, { type: 'Opaque', stringData }));
  }

  /** @internal */
  public _check(problems: Problems, prop: string, bucket: boolean): void {
    if (this.source.kind === 'secret') {
      problems.dnsSubdomain(`${prop}: Secret`, this.source.name);
      return;
    }
    const { passphrase, access } = this.source.options;
    problems
      .require(
        literalFits(passphrase, 16),
        `${prop}.passphrase must be one line of at least 16 characters; its value is not shown`,
      )
      .require(!bucket || access !== undefined, `${prop}.access is required for a bucket`)
      .require(bucket || access === undefined, `${prop}.access has no use for a volume`);
    for (const [name, value] of Object.entries(access ?? {}))
      problems.require(literalFits(value, 1), `${prop}.access.${name} must be one line; its value is not shown`);
  }
}

/** What is late cannot be judged. */
function literalFits(value: LateSecret, least: number): boolean {
  if (typeof value !== 'string' || LateTokens.isToken(value)) return true;
  return value.length >= least && !/[\u0000-\u001f\u007f]/.test(value);
}
