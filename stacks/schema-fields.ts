import { z } from 'zod';
import { IngressFeature } from '../components/ingress-options';
import type { Rule } from '../components/rules';
import { cronProblem, dnsLabelProblem, dnsSubdomainProblem, hostProblem, percentProblem } from '../components/rules';
import { parseCpu, parseSize } from '../components/units';

/** Text that a rule accepts. */
export const text = (rule: Rule<string>) =>
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

export const size = parsed(parseSize, 'a size such as 512Mi or 10Gi');
export const cpu = parsed(parseCpu, 'an amount of CPU such as 250m, 1 or 1.5');
export const label = text((value) => dnsLabelProblem(value));
export const subdomain = text(dnsSubdomainProblem);
export const host = text(hostProblem);
export const integer = (min: number, max: number) => z.number().int().min(min).max(max);
export const count = (max: number) => integer(1, max);
export const percent = (max: number) =>
  z.number().superRefine((value, context) => {
    const problem = percentProblem(value, max);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, input: value });
  });

const imageReference = /^[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$/;
export const image = text((value) => (imageReference.test(value) ? undefined : 'must be an image reference'));
export const imageTag = text((value) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(value) ? undefined : 'must be an image tag such as v1.2',
);
export const repository = text((value) =>
  /^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(\/[a-z0-9][a-z0-9._-]*)*$/.test(value)
    ? undefined
    : 'must be a registry with an optional folder, such as registry.example.com/trellis',
);

/** Where a service's image comes from. */
export type ImageSource =
  { readonly kind: 'build'; readonly context: string } | { readonly kind: 'image'; readonly reference: string };

export const source = parsed((value): ImageSource | undefined => {
  const [, kind, rest = ''] = /^(build|image):(.+)$/.exec(value) ?? [];
  if (kind === 'build') return /^[\w./-]+$/.test(rest) ? { kind, context: rest } : undefined;
  return kind === 'image' && imageReference.test(rest) ? { kind, reference: rest } : undefined;
}, 'build:FOLDER or image:REFERENCE');

const pair = <T extends z.ZodType>(amount: T) => z.strictObject({ request: amount, limit: amount });

/** CPU and memory of a program. */
export const compute = { cpu: pair(cpu), memory: pair(size) };
/** A utilisation beside the request that it is a percentage of. */
export const cpuScaled = z.strictObject({ request: cpu, limit: cpu, target: percent(1000) });
export const memoryScaled = z.strictObject({ request: size, limit: size, target: percent(1000) });
/** A service whose pods an autoscaler counts by their CPU. */
export const scaledService = {
  source,
  minReplicas: count(100),
  maxReplicas: count(200),
  cpu: cpuScaled,
  memory: pair(size),
};

/** A second version of a service, and the percent of the requests that it answers. */
export const canary = z.strictObject({ source, weight: integer(0, 100) });

const feature = z.enum(IngressFeature);
/** What browsers are told of HTTPS; nothing with no days. */
const hsts = z.strictObject({ maxAgeDays: integer(0, 730), includeSubdomains: z.boolean(), preload: z.boolean() });
const header = text((value) => (/^[A-Za-z][A-Za-z0-9-]*$/.test(value) ? undefined : 'must be the name of a header'));

/** What serves public addresses in the cluster. */
export const ingressController = z.strictObject({
  backend: z.enum(['nginx', 'gateway', 'both']),
  accepted: z.array(feature),
  nginx: z.strictObject({
    class: subdomain,
    namespace: label,
    gzip: z.boolean(),
    allowedResponseHeaders: z.array(header).max(50),
    hsts,
  }),
  gateway: z.strictObject({
    class: subdomain,
    namespace: label,
    extensions: z
      .array(
        z.strictObject({
          covers: z.array(feature).min(1),
          group: subdomain,
          kind: z.string().max(63),
          name: subdomain,
        }),
      )
      .max(10),
  }),
});

/** What spans are sent to. */
export const traceCollector = z.strictObject({
  host: z.union([z.literal(''), subdomain]),
  port: integer(1, 65_535),
  namespace: z.union([z.literal(''), label]),
});

/** What it does for one system. */
const ingress = z.strictObject({
  redirectHttp: z.boolean(),
  maxBodySize: z.union([z.literal(''), size]),
  hsts,
  securityHeaders: z.enum(['none', 'recommended']),
  gzip: z.boolean(),
  rateLimit: z.strictObject({ requestsPerSecond: integer(0, 1_000_000), burstMultiplier: count(1000) }),
});

/** What every system has: where it is, how it is reached, and who may look after it. */
export const system = {
  namespace: label,
  host,
  tls: z.strictObject({
    source: z.enum(['controller', 'issuer', 'secret']),
    issuer: subdomain,
    secretName: subdomain,
  }),
  ingress,
  access: z.strictObject({ viewers: z.array(z.string()).max(20), operators: z.array(z.string()).max(20) }),
};

export const storageClass = text((value) => (value === '' ? undefined : dnsSubdomainProblem(value)));
const store = { source, storageClass, storage: size, ...compute };

/** A database: what stands before and beside it, and its dumps. */
export const database = z.strictObject({
  ...store,
  readReplicas: integer(0, 8),
  pooler: z.strictObject({ source, replicas: integer(0, 20), maxServerConnections: integer(2, 1000) }),
  exporter: z.strictObject({ source }),
  tls: z.strictObject({ source: z.enum(['none', 'selfSigned', 'issuer']), issuer: subdomain }),
  backup: z.strictObject({ schedule: text(cronProblem), keep: count(365), storage: size }),
});
export const cache = z.strictObject({
  ...store,
  topology: z.enum(['standalone', 'sentinel']),
  replicas: count(8),
  sentinels: integer(3, 9),
  exporter: z.strictObject({ source }),
});
