import { Size } from 'cdk8s';
import { ValidationError } from './errors';
import type { GgufHeader } from './model-gguf';
import { readGgufHeader } from './model-gguf';
import { sizeBytes } from './units';
import { Problems } from './validation';

/** What has to be known of a model to say how much memory it takes. */
export interface ModelShape {
  /** @default "model" */
  readonly name?: string;
  /** Size of the weights, as they are stored. */
  readonly weights: Size;
  /** Blocks of attention. */
  readonly layers: number;
  /** Heads that ask, of one layer. */
  readonly heads: number;
  /** Heads whose keys and values are kept; of each layer, where they differ. @default - as many as `heads` */
  readonly kvHeads?: number | readonly number[];
  /** Figures of one key. */
  readonly keyLength: number;
  /** Figures of one value. @default - as many as of a key */
  readonly valueLength?: number;
  /** Width of what flows from layer to layer. */
  readonly embedding: number;
  /** Tokens that the model knows. */
  readonly vocabulary: number;
  /** Longest text that the model was made for, in tokens. @default - not known, so that any context is accepted */
  readonly contextLength?: number;
}

/** The parts of a Hugging Face `config.json` that count; all else in it is ignored. */
export type HuggingFaceConfig = Readonly<Record<string, unknown>>;

/**
 * What a model is made of, from its own files. The memory that it takes, and from that devices, limits, volumes and times,
 * are computed from it.
 */
export class ModelDescription {
  /**
   * From the header of a GGUF file.
   * @param bytes the file, or so much of its beginning that the header is whole: some 20 MB for a large vocabulary
   * @throws ValidationError where it is no such header, or lacks what has to be known
   */
  public static fromGguf(bytes: Uint8Array): ModelDescription {
    return new ModelDescription(shapeOfGguf(readGgufHeader(bytes)));
  }

  /**
   * From a Hugging Face `config.json`, parsed.
   * @param weights size of all weights: `metadata.total_size` of `model.safetensors.index.json`, or the file's size where there is one
   * @throws ValidationError where the configuration lacks what has to be known
   */
  public static fromHuggingFace(config: HuggingFaceConfig, weights: Size): ModelDescription {
    return new ModelDescription(shapeOfHuggingFace(config, weights));
  }

  /** From figures. @throws ValidationError where one is none */
  public static of(shape: ModelShape): ModelDescription {
    return new ModelDescription(shape);
  }

  public readonly name: string;
  public readonly weights: Size;
  public readonly layers: number;
  public readonly heads: number;
  /** Of each layer. */
  public readonly kvHeads: readonly number[];
  public readonly keyLength: number;
  public readonly valueLength: number;
  public readonly embedding: number;
  public readonly vocabulary: number;
  public readonly contextLength: number | undefined;

  private constructor(private readonly shape: ModelShape) {
    const { heads, kvHeads = heads, keyLength, valueLength = keyLength } = shape;
    this.name = shape.name ?? 'model';
    this.weights = shape.weights;
    this.layers = shape.layers;
    this.heads = heads;
    this.keyLength = keyLength;
    this.valueLength = valueLength;
    this.embedding = shape.embedding;
    this.vocabulary = shape.vocabulary;
    this.contextLength = shape.contextLength;
    this.check();
    this.kvHeads = typeof kvHeads === 'number' ? Array.from({ length: this.layers }, () => kvHeads) : kvHeads;
  }

  /** Bytes of the weights. */
  public get weightBytes(): number {
    return sizeBytes(this.weights);
  }

  private check(): void {
    const problems = new Problems(`model '${this.name}'`).size('weights', this.weights);
    const some = { min: 1, max: 10_000_000 };
    for (const name of ['layers', 'heads', 'keyLength', 'valueLength', 'embedding', 'vocabulary'] as const) {
      problems.integer(name, this[name], some);
    }
    problems.integer('layers', this.layers, { min: 1, max: 10_000 }).integer('contextLength', this.contextLength, some);
    const { kvHeads } = this.shape;
    if (typeof kvHeads === 'object') {
      problems.require(
        kvHeads.length === this.layers,
        `kvHeads must have one figure a layer (${this.layers}), got ${kvHeads.length}`,
      );
    }
    // A layer without any keeps a state of fixed size instead, as in hybrids of attention and recurrence.
    const heads = typeof kvHeads === 'number' ? [kvHeads] : (kvHeads ?? []);
    for (const count of new Set(heads)) problems.integer('kvHeads', count, { min: 0, max: 100_000 });
    problems.raise();
  }
}

function shapeOfGguf({ metadata, tensorBytes }: GgufHeader): ModelShape {
  const named = metadata.get('general.architecture');
  const architecture = typeof named === 'string' ? named : 'general';
  const name = metadata.get('general.name');
  const missing: string[] = [];
  const figure = (key: string): number | undefined => {
    const value = metadata.get(`${architecture}.${key}`);
    return typeof value === 'number' ? value : undefined;
  };
  const needed = (key: string, value: number | undefined): number => {
    if (value === undefined) missing.push(`it has no figure '${architecture}.${key}'`);
    return value ?? 1;
  };
  const layers = needed('block_count', figure('block_count'));
  const embedding = needed('embedding_length', figure('embedding_length'));
  const headsOf = metadata.get(`${architecture}.attention.head_count`);
  const heads =
    typeof headsOf === 'object' && 'length' in headsOf ? Math.max(...headsOf) : figure('attention.head_count');
  const kvHeads = metadata.get(`${architecture}.attention.head_count_kv`);
  const headCount = needed('attention.head_count', heads);
  const keyLength = figure('attention.key_length') ?? embedding / headCount;
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const vocabulary =
    figure('vocab_size') ?? (typeof tokens === 'object' && 'texts' in tokens ? tokens.texts : undefined);
  const contextLength = figure('context_length');
  if (tensorBytes === undefined)
    missing.push('a tensor has a type that is not known here; describe the model by ModelDescription.of');
  const shape: ModelShape = {
    ...(typeof name === 'string' ? { name } : {}),
    weights: Size.kibibytes(Math.ceil((tensorBytes ?? 1) / 1024)),
    layers,
    heads: headCount,
    ...(typeof kvHeads === 'number' || (typeof kvHeads === 'object' && 'length' in kvHeads) ? { kvHeads } : {}),
    keyLength,
    valueLength: figure('attention.value_length') ?? keyLength,
    embedding,
    vocabulary: needed('vocab_size', vocabulary),
    ...(contextLength === undefined ? {} : { contextLength }),
  };
  if (missing.length > 0) throw new ValidationError('GGUF header', missing);
  return shape;
}

function shapeOfHuggingFace(config: HuggingFaceConfig, weights: Size): ModelShape {
  // Models that also see or hear keep the figures of their language part under this name.
  const inner = config['text_config'];
  const text = typeof inner === 'object' && inner !== null ? (inner as HuggingFaceConfig) : config;
  const missing: string[] = [];
  const figure = (key: string): number | undefined => (typeof text[key] === 'number' ? text[key] : undefined);
  const needed = (key: string): number => {
    const value = figure(key);
    if (value === undefined) missing.push(`config.json has no figure '${key}'`);
    return value ?? 1;
  };
  const embedding = needed('hidden_size');
  const heads = needed('num_attention_heads');
  const name = config['_name_or_path'];
  const kvHeads = figure('num_key_value_heads');
  const contextLength = figure('max_position_embeddings');
  const shape: ModelShape = {
    ...(typeof name === 'string' && name !== '' ? { name } : {}),
    weights,
    layers: needed('num_hidden_layers'),
    heads,
    ...(kvHeads === undefined ? {} : { kvHeads }),
    keyLength: figure('head_dim') ?? embedding / heads,
    embedding,
    vocabulary: needed('vocab_size'),
    ...(contextLength === undefined ? {} : { contextLength }),
  };
  if (missing.length > 0) throw new ValidationError('model configuration', missing);
  return shape;
}
