import { isIP } from 'node:net';
import { z } from 'zod';
import { compute, count, integer, label, size, source, storageClass, system, text } from './schema-fields';

const store = { source, storage: size, storageClass, ...compute };
const seconds = (max: number) => integer(1, max);

const addressRange = text((value) => {
  const [address = '', bits = '', ...rest] = value.split('/');
  const version = isIP(address);
  const ok = version > 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
  return ok ? undefined : 'must be a range of addresses such as 203.0.113.0/24';
});

/** Encrypted in the file; a deployment gets the text instead. Text is not repeated in a message, since it may be a key. */
const secretUrl = z.union([z.string(), z.strictObject({ secure: z.string() })]);

const receiver = z
  .strictObject({
    kind: z.enum(['none', 'webhook']),
    url: secretUrl,
    port: integer(1, 65_535),
    addresses: z.array(addressRange).min(1).max(20),
  })
  .superRefine(({ kind, url }, context) => {
    const ok = typeof url !== 'string' || (kind === 'none' ? url === '' : /^https?:\/\/[^\s/]+(\/\S*)?$/.test(url));
    if (ok) return;
    const message =
      kind === 'none'
        ? 'must be empty, since there is no receiver'
        : 'must be an address such as https://example.com/hook';
    context.addIssue({ code: 'custom', message, input: 'a secret value', path: ['url'] });
  });

/** The part of an environment that watches the others. */
export const observabilitySchema = z.strictObject({
  ...system,
  prometheus: z.strictObject({
    ...store,
    retention: z.strictObject({ days: count(3650), size }),
    discovery: z.enum(['kubernetes', 'files']),
    scrapeSeconds: seconds(300),
    evaluationSeconds: seconds(300),
    longestForSeconds: integer(0, 86_400),
  }),
  alertmanager: z.strictObject({ ...store, receiver, repeatHours: count(168) }),
  grafana: z.strictObject({ enabled: z.boolean(), source, ...compute }),
  loki: z.strictObject({ enabled: z.boolean(), ...store, retentionDays: count(3650) }),
  logs: z.strictObject({ enabled: z.boolean(), source, namespace: label, nodes: count(5000), ...compute }),
});
