import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** Seconds by which two machines' clocks may differ. */
const LEEWAY = 30;

const headerSchema = z.object({ alg: z.literal('HS256'), typ: z.string().optional(), crit: z.never().optional() });
const claimsSchema = z.object({
  exp: z.number(),
  nbf: z.number().optional(),
  sub: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
});
export type Claims = z.infer<typeof claimsSchema>;
export type Verdict = { readonly claims: Claims } | { readonly reason: string };

function decode<T>(part: string, type: z.ZodType<T>): T | undefined {
  try {
    return type.safeParse(JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/**
 * Verifies an HS256 JSON Web Token (RFC 7519). No other algorithm is accepted, `none` included; `exp` is required.
 * @param audience what `aud` must contain where the token has one
 * @param now seconds since the epoch
 */
export function verifyToken(token: string, secret: string, audience: string, now = Date.now() / 1000): Verdict {
  const [header, payload, signature, ...rest] = token.split('.');
  if (!header || !payload || !signature || rest.length > 0) return { reason: 'malformed token' };
  if (decode(header, headerSchema) === undefined) return { reason: 'unsupported token' };
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
  const actual = Buffer.from(signature, 'base64url');
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return { reason: 'wrong signature' };
  const claims = decode(payload, claimsSchema);
  if (claims === undefined) return { reason: 'malformed claims' };
  if (claims.exp + LEEWAY <= now) return { reason: 'expired token' };
  if (claims.nbf !== undefined && claims.nbf - LEEWAY > now) return { reason: 'token not yet valid' };
  if (claims.aud !== undefined && ![claims.aud].flat().includes(audience))
    return { reason: 'token for another service' };
  return { claims };
}
