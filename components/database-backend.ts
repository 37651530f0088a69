import type { CloudNativePgOptions, CloudNativePgSettings } from './database-cloud-native-pg-options';
import { cloudNativePgSettings } from './database-cloud-native-pg-options';

/** What runs a database in the cluster. */
export class DatabaseBackend {
  /** StatefulSets of the library's own: no operator has to be in the cluster. A replica is promoted by hand. */
  public static statefulSet(): DatabaseBackend {
    return new DatabaseBackend('statefulSet', undefined);
  }

  /**
   * The operator CloudNativePG, which has to be in the cluster (1.28 or newer): a replica takes the place of a primary that is lost. Images
   * are those of the operator's kind: the server's starts nothing by itself, and its reference has a tag that begins with the version,
   * such as `postgresql:15.10@sha256:…`.
   */
  public static cloudNativePg(options: CloudNativePgOptions = {}): DatabaseBackend {
    return new DatabaseBackend('cloudNativePg', cloudNativePgSettings(options));
  }

  // The private fields make the class nominal: a plain object is no back end.
  private constructor(
    private readonly kind: 'statefulSet' | 'cloudNativePg',
    private readonly operator: CloudNativePgSettings | undefined,
  ) {}

  /** Settings of the operator, where one runs the database. @internal */
  public get _operator(): CloudNativePgSettings | undefined {
    return this.operator;
  }

  /** For readers and for messages. */
  public toString(): string {
    return this.kind;
  }
}
