import { z } from 'zod';
import {
  cpu,
  image,
  imageTag,
  ingressController,
  integer,
  repository,
  secrets,
  size,
  traceCollector,
} from './schema-fields';
import { noaServerSchema } from './schema-noa-server';
import { noodleCoreSchema } from './schema-noodle-core';
import { observabilitySchema } from './schema-observability';

/** One environment. Every key is required and no other is allowed, so that the three files always have the same keys. */
export const settingsSchema = z.strictObject({
  environment: z.enum(['development', 'staging', 'production']),
  cluster: z.strictObject({
    context: z.string().min(1).max(253),
    ingress: ingressController,
    traceCollector,
    largestNode: z.strictObject({ cpu, memory: size, gpus: integer(0, 64) }),
  }),
  images: z.strictObject({
    registry: repository,
    tag: imageTag,
    base: image,
    platform: z.enum(['linux/amd64', 'linux/arm64']),
  }),
  secrets,
  state: z.strictObject({ removal: z.enum(['retain', 'destroy']) }),
  noodleCore: noodleCoreSchema,
  noaServer: noaServerSchema,
  observability: observabilitySchema,
});

/** The validated configuration of one environment. */
export type Settings = z.output<typeof settingsSchema>;
