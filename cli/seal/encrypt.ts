import type { KeyObject } from 'node:crypto';
import { constants, createCipheriv, publicEncrypt, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;
/** The key serves once, so that a nonce of zeroes is as good as any. */
const NONCE = Buffer.alloc(12);

/**
 * Encrypts a value as `kubeseal` does: a fresh key by RSA-OAEP, the value with that key by AES-256-GCM.
 * @param label what the ciphertext is bound to: `NAMESPACE/NAME` of the Secret, and it opens for no other
 * @returns base64 of the length of the encrypted key in two bytes, the encrypted key, the encrypted value and its tag
 */
export function sealValue(publicKey: KeyObject, value: string, label: string): string {
  const key = randomBytes(KEY_BYTES);
  const encryptedKey = publicEncrypt(
    { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: Buffer.from(label) },
    key,
  );
  const cipher = createCipheriv('aes-256-gcm', key, NONCE);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(encryptedKey.length);
  const parts = [length, encryptedKey, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(parts).toString('base64');
}
