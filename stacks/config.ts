import * as pulumi from '@pulumi/pulumi';
import { allConfig } from '@pulumi/pulumi/runtime';
import * as runtimeConfig from '@pulumi/pulumi/runtime/config';
import type { Settings } from './schema';
import { validateSettings } from './validate';

// The SDK exports it without a declaration.
const { isConfigSecret } = runtimeConfig as unknown as { readonly isConfigSecret: (key: string) => boolean };

/**
 * Reads the stack's configuration, once. Nothing else in the program reads configuration, environment or the stack's name.
 * @throws ConfigurationError before any resource is made, with all problems
 */
export function loadSettings(): Settings {
  const config = new pulumi.Config();
  const prefix = `${config.name}:`;
  const all = allConfig() as Record<string, string>;
  const values: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, text] of Object.entries(all)) {
    if (key.startsWith(prefix)) values[key.slice(prefix.length)] = structured(text);
  }
  const secrets = Object.keys(values).filter((key) => isConfigSecret(prefix + key));
  return validateSettings(`Pulumi.${pulumi.getStack()}.yaml`, { ...values }, new Set(secrets));
}

// The engine hands structured values over as JSON, and scalars as their text.
function structured(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
