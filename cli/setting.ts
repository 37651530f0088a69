import { CliError, EXIT } from './exit';

/** A key of the configuration with another value, for one update. */
export interface Setting {
  /** From the top: `noodleCore`, `runtime`, `source`. */
  readonly keys: readonly string[];
  /** As it was typed. */
  readonly value: string;
}

/** `noodleCore.runtime.source=image:…`, with or without `trellis:` before it. @throws CliError for anything else */
export function setting(text: string): Setting {
  const [, key = '', value = ''] = /^(?:trellis:)?([A-Za-z]\w*(?:\.\w+)*)=(.*)$/s.exec(text) ?? [];
  if (key === '')
    throw new CliError(`--set takes KEY=VALUE, such as noodleCore.runtime.minReplicas=2; got '${text}'.`, EXIT.usage);
  return { keys: key.split('.'), value };
}

export const settingText = ({ keys, value }: Setting): string => `${keys.join('.')}=${value}`;
