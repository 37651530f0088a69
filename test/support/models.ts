import { Size } from 'cdk8s';
import { ModelDescription } from '../../components/model-description';

/** Llama 3.1 8B, as its config.json has it. */
export const llama8b = ModelDescription.of({
  name: 'llama-3.1-8b',
  weights: Size.mebibytes(15_317),
  layers: 32,
  heads: 32,
  kvHeads: 8,
  keyLength: 128,
  embedding: 4096,
  vocabulary: 128_256,
  contextLength: 131_072,
});
