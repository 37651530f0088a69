import { isIP } from 'node:net';

/**
 * Rules for single values, shared by components and configuration.
 * Each returns what is wrong as the end of a sentence ("must be …"), or nothing.
 */
export type Rule<T> = (value: T) => string | undefined;

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** RFC 1123 label. */
export const dnsLabelProblem = (value: string, max = 63): string | undefined =>
  value.length <= max && LABEL.test(value)
    ? undefined
    : `must be an RFC 1123 label (a-z, 0-9, '-', at most ${max} characters)`;

/** RFC 1123 subdomain. */
export const dnsSubdomainProblem: Rule<string> = (value) =>
  value.length <= 253 && value.split('.').every((part) => part.length <= 63 && LABEL.test(part))
    ? undefined
    : "must be an RFC 1123 subdomain (labels of a-z, 0-9, '-', joined by '.', at most 253 characters)";

/** A host name as an Ingress takes it: no IP address. */
export const hostProblem: Rule<string> = (value) =>
  dnsSubdomainProblem(value.startsWith('*.') ? value.slice(2) : value) === undefined && isIP(value) === 0
    ? undefined
    : "must be a lower-case host name such as api.example.com (a leading '*.' is allowed, an IP address is not)";

// The grammar of github.com/distribution/reference, which runtimes parse with; the API server takes any text.
const HOST = '[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?)*(?::[0-9]+)?';
const PATH = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
const IMAGE = new RegExp(`^(?:${HOST}/)?${PATH}(?:/${PATH})*(?::\\w[-.\\w]{0,127})?(?:@sha256:[0-9a-f]{64})?$`);

/** An image reference, with or without tag and digest. */
export const imageProblem: Rule<string> = (value) =>
  IMAGE.test(value) ? undefined : 'must be an image reference such as registry/name:tag or registry/name@sha256:…';

/** A label's value. */
export const labelValueProblem: Rule<string> = (value) =>
  value === '' || (value.length <= 63 && /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(value))
    ? undefined
    : "must be a label value (letters, digits, '-', '_', '.', at most 63 characters)";

/** A percentage. */
export const percentProblem = (value: number, max = 100): string | undefined =>
  Number.isInteger(value) && value >= 1 && value <= max
    ? undefined
    : `must be a whole percentage from 1 to ${max}, got ${String(value)}`;

const CRON_FIELDS: readonly {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: string;
}[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec' },
  // The API server does not know 7 for Sunday.
  { name: 'day of week', min: 0, max: 6, names: 'sun mon tue wed thu fri sat' },
];

/** A schedule as a CronJob takes it: five fields, or a macro such as `@daily`. */
export const cronProblem: Rule<string> = (value) => {
  if (/^@(hourly|daily|midnight|weekly|monthly|yearly|annually)$/.test(value)) return undefined;
  const fields = value.trim().split(/\s+/);
  if (fields.length !== CRON_FIELDS.length)
    return 'must be a cron schedule of five fields (minute hour day month weekday)';
  for (const [index, field] of CRON_FIELDS.entries()) {
    const bad = (fields[index] ?? '').split(',').find((item) => !cronItemFits(item, field));
    if (bad !== undefined)
      return `must be a cron schedule: ${field.name} '${bad}' is not within ${field.min}-${field.max}`;
  }
  return undefined;
};

function cronItemFits(item: string, field: (typeof CRON_FIELDS)[number]): boolean {
  const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/([0-9]+))?$/i.exec(item);
  if (match === null) return false;
  const [, from = '', to, step] = match;
  if (step !== undefined && Number(step) < 1) return false;
  if (from === '*') return to === undefined;
  const first = cronNumber(from, field);
  const last = to === undefined ? first : cronNumber(to, field);
  return first >= field.min && last <= field.max && first <= last;
}

function cronNumber(text: string, field: (typeof CRON_FIELDS)[number]): number {
  if (/^[0-9]+$/.test(text)) return Number(text);
  const position = (field.names ?? '').split(' ').indexOf(text.toLowerCase());
  return position < 0 || text === '' ? Number.NaN : position + field.min;
}
