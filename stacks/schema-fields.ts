import { z } from 'zod';
import { IngressFeature } from '../components/ingress-options';
import type { Rule } from '../components/rules';
import { cronProblem, dnsLabelProblem, dnsSubdomainProblem, hostProblem, percentProblem } from '../components/rules';
import { isCidr } from '../components/http-settings';
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

const storePrefix = text((value) =>
  /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/.test(value) ? undefined : 'must be a path such as trellis/prod',
);
const yamlFile = text((value) =>
  /^[\w-][\w.-]*(\/[\w-][\w.-]*)*\.yaml$/.test(value)
    ? undefined
    : 'must be a path of the project such as sealed/prod.yaml',
);

/** Where the values of Secrets come from. */
export const secrets = z.strictObject({
  mode: z.enum(['generated', 'external', 'sealed']),
  store: z.strictObject({
    kind: z.enum(['ClusterSecretStore', 'SecretStore']),
    name: subdomain,
    prefix: storePrefix,
    revision: z.string().max(63),
  }),
  file: yamlFile,
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

/** Name of an object, or empty for none. */
const optionalSubdomain = text((value) => (value === '' ? undefined : dnsSubdomainProblem(value)));

export const storageClass = optionalSubdomain;

/** Where a system's archives are kept, with what they are made, and what remembers that they are good. */
const backup = z.strictObject({
  enabled: z.boolean(),
  source,
  status: z.strictObject({ source, storage: size, storageClass }),
  target: z.strictObject({
    kind: z.enum(['volume', 'objectStorage']),
    endpoint: text((value) =>
      /^https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/.test(value)
        ? undefined
        : 'must be an address such as https://s3.example.com',
    ),
    bucket: text((value) =>
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value) ? undefined : 'must be the name of a bucket',
    ),
    prefix: text((value) =>
      /^([A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*)?$/.test(value) ? undefined : "must be folders joined by '/'",
    ),
    region: text((value) => (/^[a-z0-9-]{1,63}$/.test(value) ? undefined : 'must be the name of a region')),
    credentialsSecretName: subdomain,
    authoritySecretName: optionalSubdomain,
    pathStyle: z.boolean(),
    cidr: text((value) => (isCidr(value) ? undefined : 'must be a CIDR block such as 10.0.0.0/16')),
  }),
});

/** When one store is backed up, how much of it is kept, and when its restore is practised. */
export const storeBackup = z.strictObject({
  schedule: text(cronProblem),
  keep: count(365),
  maxAgeDays: count(3650),
  storage: size,
  drillSchedule: text((value) => (value === '' ? undefined : cronProblem(value))),
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

/** What a system with data has too. */
export const keeping = { ...system, backup };

const store = { source, storageClass, storage: size, ...compute, backup: storeBackup };

/** Passwords that servers accept, by number, and the one that clients use: see docs/rotation.md. */
const password = z
  .strictObject({ accepted: z.array(integer(1, 9999)).min(1).max(2), used: integer(1, 9999) })
  .superRefine(({ accepted, used }, context) => {
    const [first = 0, second = first + 1] = accepted;
    const fail = (key: string, message: string, input: unknown): void =>
      void context.addIssue({ code: 'custom', message, input, path: [key] });
    if (second !== first + 1) fail('accepted', 'must be one number, or two that follow each other', accepted);
    if (!accepted.includes(used))
      fail('used', 'must be one of the accepted numbers, or clients would be locked out', used);
  });
export type PasswordSettings = z.output<typeof password>;

/** A folder of a bucket; all of it is empty where there is none. */
const bucket = {
  endpoint: text((value) => (value === '' ? undefined : hostProblem(value))),
  port: integer(1, 65_535),
  region: z.string().max(63),
  bucket: z.string().max(63),
  prefix: z.string().max(500),
  pathStyle: z.boolean(),
  secretName: optionalSubdomain,
};

/** Where a database's log and base backups go. */
const archive = z.strictObject({
  target: z.enum(['none', 'volume', 'objectStorage']),
  ...bucket,
  storage: size,
  maxLossSeconds: integer(1, 86_400),
  fullEveryDays: count(365),
  keepFull: count(1000),
});

const moment = parsed(
  (value) => (value === '' ? null : value === 'latest' ? value : momentOf(value)),
  'empty, latest, or a moment with its offset such as 2026-03-04T05:06:07Z',
);
// Date.parse takes much more, some of it in the zone of whoever runs it.
const momentOf = (value: string): Date | undefined =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value))
    ? new Date(value)
    : undefined;

/** What a database is, and what an empty volume of it is filled from. */
const recovery = z
  .strictObject({ role: z.enum(['primary', 'standby']), to: moment, source: z.strictObject(bucket) })
  .superRefine(({ role, source }, context) => {
    if (role === 'primary' || source.bucket !== '') return;
    const message = 'must say whose archive the standby follows';
    context.addIssue({ code: 'custom', message, input: source.bucket, path: ['source', 'bucket'] });
  });

/** A database: what stands before and beside it, and where its data goes to and came from. */
export const database = z
  .strictObject({
    ...store,
    password,
    readReplicas: integer(0, 8),
    pooler: z.strictObject({ source, replicas: integer(0, 20), maxServerConnections: integer(2, 1000) }),
    exporter: z.strictObject({ source }),
    tls: z.strictObject({ source: z.enum(['none', 'selfSigned', 'issuer']), issuer: subdomain }),
    archive,
    recovery,
  })
  .superRefine(({ archive: { target }, recovery: { to, source: other } }, context) => {
    if (to === null || target !== 'none' || other.bucket !== '') return;
    const message = 'must be empty without an archive and a source';
    context.addIssue({ code: 'custom', message, input: String(to), path: ['recovery', 'to'] });
  });
export const cache = z.strictObject({
  ...store,
  password,
  topology: z.enum(['standalone', 'sentinel']),
  replicas: count(8),
  sentinels: integer(3, 9),
  exporter: z.strictObject({ source }),
});
