import { createHmac } from 'node:crypto';
import * as pulumi from '@pulumi/pulumi';
import { LateTokens } from '../components/late';
import type { Content } from './reads';
import { plainDigest } from './reads';
import { restoreText } from './restore';

/**
 * A keyed digest of the content as deployed, safe to show: without the key a weak secret could be guessed from it.
 * It is unknown in a preview where the content is.
 */
export function lateDigest(content: Content, tokens: LateTokens, key: pulumi.Input<string>): pulumi.Input<string> {
  if (!isLate(content)) return plainDigest(content);
  const values = [...content].map(([name, text]) =>
    pulumi
      .output(restoreText(text, name, (token) => tokens.lookup(token)?.value as pulumi.Input<string>))
      .apply((value) => [name, value] as const),
  );
  const digest = pulumi
    .all([pulumi.output(key), pulumi.all(values)])
    .apply(([secret, all]) => createHmac('sha256', secret).update(JSON.stringify(all)).digest('hex').slice(0, 16));
  return pulumi.unsecret(digest);
}

/** Whether the content holds a value that only the engine knows. */
export const isLate = (content: Content): boolean => [...content.values()].some((text) => LateTokens.isToken(text));
