import { verifyToken } from '../../../images/reference-service/src/jwt';
import { encode, sign } from './support';

const SECRET = 'a-secret-of-enough-length';
const NOW = 1_700_000_000;
const verify = (token: string) => verifyToken(token, SECRET, 'noodle-runtime', NOW);
const claims = { sub: 'someone', exp: NOW + 60 };

describe('JSON Web Tokens of the API', () => {
  test('a valid token yields its claims', () => {
    expect(verify(sign(SECRET, claims))).toEqual({ claims });
    expect(verify(sign(SECRET, { ...claims, aud: ['other', 'noodle-runtime'] }))).toHaveProperty('claims');
  });

  test.each([
    ['another secret', sign('another-secret-of-length', claims), 'wrong signature'],
    ['no expiry', sign(SECRET, { sub: 'someone' }), 'malformed claims'],
    ['expired beyond the leeway', sign(SECRET, { exp: NOW - 31 }), 'expired token'],
    ['not yet valid', sign(SECRET, { ...claims, nbf: NOW + 31 }), 'token not yet valid'],
    ['another audience', sign(SECRET, { ...claims, aud: 'other' }), 'token for another service'],
    ['algorithm none', `${encode({ alg: 'none' })}.${encode(claims)}.`, 'malformed token'],
    ['algorithm none with a signature', sign(SECRET, claims, { alg: 'none' }), 'unsupported token'],
    ['another HMAC named', sign(SECRET, claims, { alg: 'HS512' }), 'unsupported token'],
    ['a critical extension', sign(SECRET, claims, { alg: 'HS256', crit: ['x'] }), 'unsupported token'],
    ['no JSON', 'a.b.c', 'unsupported token'],
    ['four parts', `${sign(SECRET, claims)}.x`, 'malformed token'],
    ['empty', '', 'malformed token'],
  ])('%s is refused', (_name, token, reason) => {
    expect(verify(token)).toEqual({ reason });
  });

  test('a changed payload breaks the signature', () => {
    const [header, , signature] = sign(SECRET, claims).split('.');
    expect(verify(`${header}.${encode({ ...claims, sub: 'admin' })}.${signature}`)).toEqual({
      reason: 'wrong signature',
    });
  });

  test('clocks may differ by half a minute', () => {
    expect(verify(sign(SECRET, { exp: NOW - 29 }))).toHaveProperty('claims');
  });
});
