import { LateTokens } from '../../components/late';

/** A text with what stands behind its tokens. */
export const inClear = (tokens: LateTokens, text = ''): string =>
  LateTokens.split(text)
    .map((part) => (part.token ? (tokens.lookup(part.text)?.value as string) : part.text))
    .join('');
