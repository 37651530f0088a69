import { z } from 'zod';
import { NOA_SERVER_VARIABLES } from '../charts/noa-server';
import { settingProblems } from '../charts/variables';
import {
  cache,
  canary,
  compute,
  count,
  database,
  integer,
  keeping,
  memoryScaled,
  scaledService,
  size,
  source,
  storageClass,
  storeBackup,
  text,
} from './schema-fields';

const memoryBound = z.strictObject({ ...scaledService, memory: memoryScaled });

const model = z
  .strictObject({
    path: text((value) =>
      /^(\/[\w.+-]+)+$/.test(value) ? undefined : 'must be an absolute path such as /models/model.gguf',
    ),
    size,
    uri: z.string().max(2000),
    revision: z.string().max(200),
    sha256: text((value) => (/^([0-9a-f]{64})?$/.test(value) ? undefined : 'must be 64 hexadecimal digits, or empty')),
    fetch: z.strictObject({ source }),
  })
  .superRefine(({ uri, revision, sha256 }, context) => {
    for (const [key, value] of Object.entries({ revision, sha256 })) {
      if (uri === '' || value !== '') continue;
      context.addIssue({
        code: 'custom',
        message: 'must say which file is meant, since uri is given',
        input: value,
        path: [key],
      });
    }
  });

const variables = z.record(z.string(), z.string()).superRefine((given, context) => {
  for (const [name, message] of Object.entries(settingProblems(NOA_SERVER_VARIABLES, given))) {
    context.addIssue({ code: 'custom', message, input: given[name], path: [name] });
  }
});

/** Noa Server's part of an environment. */
export const noaServerSchema = z.strictObject({
  ...keeping,
  ui: z.strictObject({ ...scaledService, canary }),
  mcp: memoryBound.extend({ volume: z.strictObject({ storage: size, storageClass, backup: storeBackup }) }),
  claudeFlow: memoryBound,
  agenticOs: z.strictObject({ source, replicas: count(100), ...compute }),
  llamaCpp: z.strictObject({
    source,
    replicas: count(100),
    ...compute,
    gpus: integer(0, 64),
    model,
    slots: count(256),
    contextPerSlot: integer(128, 1_048_576),
  }),
  postgres: database,
  redis: cache,
  variables,
});
export type NoaServerSettings = z.output<typeof noaServerSchema>;
