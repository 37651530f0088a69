import type { Late } from './late';

/** What a PostgreSQL engine is made of. */
export interface PostgresOptions {
  /**
   * Image that follows the contract of `images/postgres`: data in `PGDATA`, configuration at
   * `/etc/postgresql/postgresql.conf`, password in the file that `POSTGRES_PASSWORD_FILE` names, `SIGINT` to stop.
   */
  readonly image: Late;
  /**
   * Numeric user and group that the image's server runs as.
   * @default 10070
   */
  readonly user?: number;
  /**
   * Port that the server listens on.
   * @default 5432
   */
  readonly port?: number;
}

/** Versions whose settings the library writes and whose image it tests. */
export const POSTGRES_VERSIONS: readonly string[] = ['15'];

/** Which database runs, and from which image. */
export class DatabaseEngine {
  /** PostgreSQL of one major version; a data folder is not readable by another major version. */
  public static postgres(version: string, options: PostgresOptions): DatabaseEngine {
    return new DatabaseEngine({ version, user: 10070, port: 5432, ...options });
  }

  // The private field makes the class nominal: a plain string or object is no engine.
  private constructor(private readonly spec: Required<PostgresOptions> & { readonly version: string }) {}

  /** Major version, such as `15`. */
  public get version(): string {
    return this.spec.version;
  }

  /** Image of the server, and of the tools that dump it. */
  public get image(): Late {
    return this.spec.image;
  }

  /** Numeric user and group of the server's processes. */
  public get user(): number {
    return this.spec.user;
  }

  /** Port of the server. */
  public get port(): number {
    return this.spec.port;
  }
}
