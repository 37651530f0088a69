import { z } from 'zod';
import { NOA_SERVER_VARIABLES } from '../charts/noa-server';
import { settingProblems } from '../charts/variables';
import {
  cache,
  compute,
  count,
  database,
  integer,
  memoryScaled,
  scaledService,
  size,
  source,
  system,
  text,
} from './schema-fields';

const memoryBound = z.strictObject({ ...scaledService, memory: memoryScaled });

const variables = z.record(z.string(), z.string()).superRefine((given, context) => {
  for (const [name, message] of Object.entries(settingProblems(NOA_SERVER_VARIABLES, given))) {
    context.addIssue({ code: 'custom', message, input: given[name], path: [name] });
  }
});

/** Noa Server's part of an environment. */
export const noaServerSchema = z.strictObject({
  ...system,
  ui: z.strictObject(scaledService),
  mcp: memoryBound,
  claudeFlow: memoryBound,
  agenticOs: z.strictObject({ source, replicas: count(100), ...compute }),
  llamaCpp: z.strictObject({
    source,
    replicas: count(100),
    ...compute,
    gpus: integer(0, 64),
    modelPath: text((value) =>
      /^(\/[\w.+-]+)+$/.test(value) ? undefined : 'must be an absolute path such as /models/model.gguf',
    ),
    modelSize: size,
    slots: count(256),
    contextPerSlot: integer(128, 1_048_576),
  }),
  postgres: database,
  redis: cache,
  variables,
});
export type NoaServerSettings = z.output<typeof noaServerSchema>;
