import { z } from 'zod';
import type { Rule } from '../components/rules';
import { cronProblem, dnsLabelProblem, dnsSubdomainProblem, hostProblem, percentProblem } from '../components/rules';
import { parseCpu, parseSize } from '../components/units';

/** Text that a rule accepts. */
const text = (rule: Rule<string>) =>
  z.string().superRefine((value, context) => {
    const problem = rule(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, input: value });
  });

/** Text that is read into something else. */
const parsed = <T>(read: (value: string) => T | undefined, expected: string) =>
  z.string().transform((value, context): T => {
    const result = read(value);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: `must be ${expected}`, input: value });
    return z.NEVER;
  });

const size = parsed(parseSize, 'a size such as 512Mi or 10Gi');
const cpu = parsed(parseCpu, 'an amount of CPU such as 250m, 1 or 1.5');
const label = text((value) => dnsLabelProblem(value));
const host = text(hostProblem);
const count = (max: number) => z.number().int().min(1).max(max);
const percent = z.number().superRefine((value, context) => {
  const problem = percentProblem(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, input: value });
});

const imageReference = /^[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$/;
const repository = text((value) =>
  /^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(\/[a-z0-9][a-z0-9._-]*)*$/.test(value)
    ? undefined
    : 'must be a registry with an optional folder, such as registry.example.com/trellis',
);

/** Where a service's image comes from. */
export type ImageSource =
  { readonly kind: 'build'; readonly context: string } | { readonly kind: 'image'; readonly reference: string };

const source = parsed((value): ImageSource | undefined => {
  const [, kind, rest = ''] = /^(build|image):(.+)$/.exec(value) ?? [];
  if (kind === 'build') return /^[\w./-]+$/.test(rest) ? { kind, context: rest } : undefined;
  return kind === 'image' && imageReference.test(rest) ? { kind, reference: rest } : undefined;
}, 'build:FOLDER or image:REFERENCE');

const storageClass = text((value) => (value === '' ? undefined : dnsSubdomainProblem(value)));
const pair = <T extends z.ZodType>(amount: T) => z.strictObject({ request: amount, limit: amount });
const compute = { cpu: pair(cpu), memory: pair(size) };

const noodleCore = z.strictObject({
  namespace: label,
  host,
  tls: z.strictObject({
    source: z.enum(['controller', 'issuer', 'secret']),
    issuer: text(dnsSubdomainProblem),
    secretName: text(dnsSubdomainProblem),
  }),
  runtime: z.strictObject({
    source,
    minReplicas: count(100),
    maxReplicas: count(200),
    cpu: z.strictObject({ request: cpu, limit: cpu, target: percent }),
    memory: pair(size),
    logLevel: z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR']),
    serviceType: z.enum(['ClusterIP', 'LoadBalancer']),
  }),
  postgres: z.strictObject({
    source,
    storageClass,
    storage: size,
    ...compute,
    backup: z.strictObject({ schedule: text(cronProblem), keep: count(365), storage: size }),
  }),
  redis: z.strictObject({ source, storageClass, storage: size, ...compute }),
});

/** One environment. Every key is required and no other is allowed, so that the three files always have the same keys. */
export const settingsSchema = z.strictObject({
  environment: z.enum(['development', 'staging', 'production']),
  cluster: z.strictObject({
    context: z.string().min(1).max(253),
    ingressNamespace: label,
    secretStore: text(dnsSubdomainProblem),
  }),
  images: z.strictObject({
    registry: repository,
    tag: text((value) =>
      /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(value) ? undefined : 'must be an image tag such as v1.2',
    ),
    base: text((value) => (imageReference.test(value) ? undefined : 'must be an image reference')),
    platform: z.enum(['linux/amd64', 'linux/arm64']),
  }),
  state: z.strictObject({ removal: z.enum(['retain', 'destroy']) }),
  noodleCore,
});

/** The validated configuration of one environment. */
export type Settings = z.output<typeof settingsSchema>;
/** NoodleCore's part of it. */
export type NoodleCoreSettings = Settings['noodleCore'];
