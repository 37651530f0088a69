import { forceNewPaths, touches } from '../../local/index';

type Json = Readonly<Record<string, unknown>>;

/** The steps of a field as a comparison names it: `containers[web].image`, `data['a.b'] line 3`. */
export const stepsOf = (field: string): readonly string[] =>
  [...field.replace(/ line \d+$/, '').matchAll(/\['([^']*)'\]|\[([^\]]*)\]|([^.[\]]+)/g)].map(
    ([, quoted, item, key]) => quoted ?? item ?? key ?? '',
  );

/**
 * Whether a change of this field needs a new object, by the same list as a deployment: ConfigMaps and Secrets change in place, since
 * every provider of the stacks is set so.
 */
export function forcesNew(manifest: Json, field: string): boolean {
  const [group = '', version = ''] = String(manifest.apiVersion).includes('/')
    ? String(manifest.apiVersion).split('/')
    : ['', String(manifest.apiVersion)];
  const gvk = { group, version, kind: String(manifest.kind) };
  const paths = forceNewPaths(gvk, manifest as Parameters<typeof forceNewPaths>[1], {
    configMaps: true,
    secrets: true,
  });
  const steps = stepsOf(field);
  return paths.some((path) => touches(steps, path));
}
