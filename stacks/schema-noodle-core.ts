import { z } from 'zod';
import { cache, canary, compute, database, host, integer, keeping, scaledService, size, source } from './schema-fields';

const logLevel = z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR']);

/** NoodleCore's part of an environment. */
export const noodleCoreSchema = z.strictObject({
  ...keeping,
  traceSampleRatio: z.number().min(0).max(1),
  runtime: z.strictObject({
    ...scaledService,
    logLevel,
    serviceType: z.enum(['ClusterIP', 'LoadBalancer']),
    canary,
  }),
  ide: z.strictObject({ ...scaledService, logLevel, host }),
  nginx: z.strictObject({
    source,
    replicas: integer(0, 100),
    ...compute,
    balance: z.enum(['least_conn', 'ip_hash', 'random', 'round_robin']),
    maxBodySize: size,
    timeoutSeconds: integer(1, 3600),
  }),
  postgres: database,
  redis: cache,
});
export type NoodleCoreSettings = z.output<typeof noodleCoreSchema>;
