import type { KubeObject } from './model';

interface ExternalSecretSpec {
  readonly target: { readonly name: string; readonly template: { readonly data: Readonly<Record<string, string>> } };
  readonly data: readonly { readonly secretKey: string; readonly remoteRef: { readonly key: string } }[];
}

/** A dollar sign of a text, as Compose takes it. */
export const literal = (text: string): string => text.replaceAll('$', '$$$$');

const variableOf = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');

/** The Secrets of an environment, each value as a text in which `${NAME:?}` stands for a secret. */
export class SecretTexts {
  /** Environment variable → name of the secret in the definition. */
  public readonly secrets = new Map<string, string>();
  private readonly texts = new Map<string, ReadonlyMap<string, string>>();

  public constructor(objects: readonly KubeObject[]) {
    for (const object of objects.filter(({ kind }) => kind === 'ExternalSecret')) this.add(object);
  }

  /** Every key of a Secret. @returns nothing where the definition doesn't make it */
  public keysOf(namespace: string, name: string): ReadonlyMap<string, string> | undefined {
    return this.texts.get(`${namespace}/${name}`);
  }

  private add(object: KubeObject): void {
    const { target, data } = object.spec as unknown as ExternalSecretSpec;
    const variables = new Map(
      data.map(({ secretKey, remoteRef }) => {
        const name = remoteRef.key.split('/').at(-1) ?? '';
        this.secrets.set(variableOf(name), name);
        return [secretKey, variableOf(name)];
      }),
    );
    const texts = Object.entries(target.template.data).map(([key, template]) => {
      const text = template
        .split(/(\{\{.*?\}\})/s)
        .map((part) => {
          const [, variable] = /^\{\{ \.(\w+) \}\}$/.exec(part) ?? [];
          if (variable !== undefined) return `\${${variables.get(variable) ?? variable}:?}`;
          // A literal with braces in it is quoted.
          const [, quoted] = /^\{\{ (".*") \}\}$/s.exec(part) ?? [];
          return literal(quoted === undefined ? part : (JSON.parse(quoted) as string));
        })
        .join('');
      return [key, text] as const;
    });
    this.texts.set(`${object.metadata.namespace ?? ''}/${target.name}`, new Map(texts));
  }
}
