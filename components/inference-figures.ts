/** Names under which a model server tells what it does, in the format of Prometheus. */
export interface InferenceFigures {
  /** Key of the catalogue of metric names. */
  readonly exporter: string;
  /** Whether they are shown to those with the API key only, where there is one. */
  readonly guarded: boolean;
  /** Requests that wait. */
  readonly waiting: string;
  /** Requests that are being answered. */
  readonly running: string;
  /** Grows with every step of a request that is being answered. */
  readonly work: string;
  /** Tokens that were written. */
  readonly written: string;
  /** Tokens of prompts that were read. */
  readonly read: string;
  /** Part of the memory for keys and values that is in use. @default - not told */
  readonly cache?: string;
  /** Requests that were interrupted for want of memory. @default - not told */
  readonly preemptions?: string;
  /** Histogram of the seconds until the first token. @default - not told */
  readonly firstToken?: string;
}

/** Those of llama.cpp's server. Tokens that were written count once their request has ended. */
export const LLAMA_CPP_FIGURES: InferenceFigures = {
  exporter: 'llama-cpp',
  guarded: true,
  waiting: 'llamacpp:requests_deferred',
  running: 'llamacpp:requests_processing',
  work: 'llamacpp:n_decode_total',
  written: 'llamacpp:tokens_predicted_total',
  read: 'llamacpp:prompt_tokens_total',
};

/** Those of vLLM, whose key guards nothing but `/v1`. */
export const VLLM_FIGURES: InferenceFigures = {
  exporter: 'vllm',
  guarded: false,
  waiting: 'vllm:num_requests_waiting',
  running: 'vllm:num_requests_running',
  work: 'vllm:generation_tokens_total',
  written: 'vllm:generation_tokens_total',
  read: 'vllm:prompt_tokens_total',
  cache: 'vllm:kv_cache_usage_perc',
  preemptions: 'vllm:num_preemptions_total',
  firstToken: 'vllm:time_to_first_token_seconds',
};
