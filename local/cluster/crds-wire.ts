import { LocalError } from '../errors';

const CONVERTER = /^export function toJson_(\w+)\([^]*?^}$/gm;
const FIELD = /^ {4}'([^']+)': .*\bobj\.(\w+)/gm;

/** How a property is named in TypeScript: quoted where it has to be. */
const property = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`);
const access = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? `obj.${name}` : `obj['${name}']`);

/**
 * Source that `cdk8s import` wrote, with every property named as the API names it: `isCA`, not `isCa`.
 * The types then also fit objects that are written without the generated classes.
 *
 * @throws LocalError where a converter has no interface, since its names would then stay wrong without a word
 */
export function wireNames(source: string): string {
  const renamed = new Map<string, Map<string, string>>();
  const converters = source.replace(CONVERTER, (whole, type: string) => {
    const names = new Map<string, string>();
    for (const [, wire = '', field = ''] of whole.matchAll(FIELD)) if (wire !== field) names.set(field, wire);
    if (names.size === 0) return whole;
    renamed.set(type, names);
    return whole.replace(/\bobj\.(\w+)/g, (_, field: string) => access(names.get(field) ?? field));
  });
  return [...renamed].reduce((text, [type, names]) => renameInterface(text, type, names), converters);
}

function renameInterface(text: string, type: string, names: ReadonlyMap<string, string>): string {
  const start = text.indexOf(`\nexport interface ${type} {`);
  const end = text.indexOf('\n}', start);
  if (start === -1) throw new LocalError(`cdk8s import wrote a converter for ${type}, but no interface.`);
  const body = text
    .slice(start, end)
    .replace(/^( {2}readonly )(\w+)(\??: )/gm, (_, readonly: string, field: string, rest: string) =>
      [readonly, property(names.get(field) ?? field), rest].join(''),
    );
  return text.slice(0, start) + body + text.slice(end);
}
