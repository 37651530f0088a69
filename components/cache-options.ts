import type { Size } from 'cdk8s';

/** What Redis drops when its memory is full. */
export enum EvictionPolicy {
  /** Any key, those unused longest first. For caches whose every key can be made again. */
  ALL_KEYS_LRU = 'allkeys-lru',
  /** Any key, those used least often first. */
  ALL_KEYS_LFU = 'allkeys-lfu',
  /** Any key, by chance. */
  ALL_KEYS_RANDOM = 'allkeys-random',
  /** Keys with an expiry, those unused longest first; keys without one are data and stay. */
  VOLATILE_LRU = 'volatile-lru',
  /** Keys with an expiry, those used least often first. */
  VOLATILE_LFU = 'volatile-lfu',
  /** Keys with an expiry, those that expire next first. */
  VOLATILE_TTL = 'volatile-ttl',
  /** Keys with an expiry, by chance. */
  VOLATILE_RANDOM = 'volatile-random',
  /** Nothing: writes fail instead. For queues and other data that must not vanish. */
  NONE = 'noeviction',
}

/** How often the append-only file is forced to disk. */
export enum AppendSync {
  /** At each write: none is lost, and each waits for the disk. */
  ALWAYS = 'always',
  /** Once a second: the last second may be lost when the node dies. */
  EVERY_SECOND = 'everysec',
  /** When the kernel sees fit, about half a minute. */
  NEVER = 'no',
}

/** How the append-only file is written. */
export interface AppendOnlyOptions {
  /** @default AppendSync.EVERY_SECOND */
  readonly fsync?: AppendSync;
}

/** Whether a cache survives its pod. */
export class CachePersistence {
  /** In memory only: a restarted pod begins empty. */
  public static none(): CachePersistence {
    return new CachePersistence(undefined);
  }

  /**
   * An append-only file on a volume of `size`, which may grow where its class can expand and never shrinks.
   * The file grows to twice its content before it is rewritten beside itself: three times `maxMemory` is enough.
   */
  public static appendOnly(size: Size, options: AppendOnlyOptions = {}): CachePersistence {
    return new CachePersistence({ size, fsync: options.fsync ?? AppendSync.EVERY_SECOND });
  }

  // The private field makes the class nominal: a plain string or object is no persistence.
  private constructor(private readonly spec: { readonly size: Size; readonly fsync: AppendSync } | undefined) {}

  /** Whether an append-only file is written. */
  public get durable(): boolean {
    return this.spec !== undefined;
  }

  /** Size of the volume, where there is one. */
  public get size(): Size | undefined {
    return this.spec?.size;
  }

  /** How often the file is forced to disk, where there is one. */
  public get fsync(): AppendSync | undefined {
    return this.spec?.fsync;
  }
}
