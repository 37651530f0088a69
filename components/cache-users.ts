import type { Password } from './rotating-password';

/** What a user of a cache may do. None of them brings a command that Redis calls dangerous. */
export class CachePermission {
  /** Commands that read values. */
  public static read(): CachePermission {
    return new CachePermission(['+@read']);
  }

  /** Commands that change values, those that wait for one among them. */
  public static write(): CachePermission {
    return new CachePermission(['+@write']);
  }

  /** Publish to and subscribe to the user's channels. */
  public static pubSub(): CachePermission {
    return new CachePermission(['+@pubsub']);
  }

  /** Scripts and functions, which may use the commands that the user may. */
  public static scripting(): CachePermission {
    return new CachePermission(['+@scripting']);
  }

  /** Several commands as one. */
  public static transactions(): CachePermission {
    return new CachePermission(['+@transaction']);
  }

  /** One command in small letters, such as `flushdb` or `client|list`, whatever Redis calls it. */
  public static command(name: string): CachePermission {
    return new CachePermission([], name);
  }

  private constructor(
    /** Categories of Redis' access rules. */
    public readonly categories: readonly string[],
    /** The command, where it is a single one. */
    public readonly single?: string,
  ) {}
}

/** What a user is made of. */
export interface CacheUserOptions {
  /**
   * Becomes part of a URL: letters, digits, `-`, `.`, `_` and `~` only, at least eight. A RotatingPassword is taken over by running servers.
   */
  readonly password: Password;
  /** What it may do; at least one. */
  readonly permissions: readonly CachePermission[];
  /**
   * Patterns of the keys that it sees, such as `session:*`.
   * @default - none
   */
  readonly keys?: readonly string[];
  /**
   * Patterns of the channels that it publishes and subscribes to.
   * @default - none
   */
  readonly channels?: readonly string[];
}

/** A user of a cache besides the one that every client has: fewer keys, fewer commands. */
export class CacheUser {
  /** @param name small letters, digits and dashes */
  public static named(name: string, options: CacheUserOptions): CacheUser {
    return new CacheUser(name, options);
  }

  private constructor(
    public readonly name: string,
    private readonly options: CacheUserOptions,
  ) {}

  public get password(): Password {
    return this.options.password;
  }

  public get permissions(): readonly CachePermission[] {
    return [...this.options.permissions];
  }

  public get keys(): readonly string[] {
    return [...(this.options.keys ?? [])];
  }

  public get channels(): readonly string[] {
    return [...(this.options.channels ?? [])];
  }
}

/** Users that the component and its image make for themselves. */
export const RESERVED_USERS: readonly string[] = [
  ...['default', 'replication', 'member', 'router', 'sentinel', 'exporter', 'backup'],
  // Of the image, where passwords rotate.
  ...['passwords', 'aligned'],
];

/** Upper-case suffix of a user's keys in the Secret. */
const suffix = (user: string): string => `_${user.toUpperCase().replaceAll('-', '_')}`;

/** Keys of the Secret with a user's password and URL; those of the clients' user have no suffix. */
export const passwordKey = (user?: string): string => `REDIS_PASSWORD${user === undefined ? '' : suffix(user)}`;
/** Key with all passwords that servers accept, a line each, where they rotate. */
export const passwordsKey = (user?: string): string => `REDIS_PASSWORDS${user === undefined ? '' : suffix(user)}`;
export const urlKey = (user?: string): string => `REDIS_URL${user === undefined ? '' : suffix(user)}`;

// What client libraries ask when they connect, and where a cluster keeps which key. It all reads only.
const ALWAYS = ['+@connection', '+command'];
const CLUSTER_READS = ['slots', 'shards', 'nodes', 'info', 'keyslot', 'myid'].map((name) => `+cluster|${name}`);

/** Redis' access rules of one user; the image adds the name and the password's hash. */
export function userRules({ permissions, keys, channels }: CacheUser): string {
  return [
    ...keys.map((pattern) => `~${pattern}`),
    ...channels.map((pattern) => `&${pattern}`),
    ...ALWAYS,
    ...new Set(permissions.flatMap(({ categories }) => categories)),
    '-@dangerous',
    '+info',
    ...CLUSTER_READS,
    ...permissions.flatMap(({ single }) => (single === undefined ? [] : [`+${single}`])),
  ].join(' ');
}

/** The image's file of further users: a line each. */
export const usersFile = (users: readonly CacheUser[]): string =>
  users.map((user) => `${user.name} ${userRules(user)}\n`).join('');
