import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { customResourceDefinitions } from '../../../local/cluster/crds';
import { CRD_SOURCES } from '../../../local/cluster/crds-sources';
import { wireNames } from '../../../local/cluster/crds-wire';

const ROOT = path.resolve(__dirname, '../../..');

describe('definitions of custom resources', () => {
  const crds = customResourceDefinitions();

  test('are those of the pinned modules, each with its origin', () => {
    const wanted = CRD_SOURCES.flatMap(({ module, files, names }) =>
      (names ?? files.map((file) => file.split('_').reverse().join('.'))).map((name) => `${name} ${module}`),
    );
    const found = crds.map(
      ({ metadata }) => `${metadata.name} ${metadata.annotations?.['trellis.local/origin'] ?? ''}`,
    );
    expect(found.sort()).toEqual(wanted.sort());
  });

  test('have exactly one stored version, which is served, and no descriptions', () => {
    for (const { metadata, spec } of crds) {
      const stored = spec.versions.filter(({ storage }) => storage);
      expect([metadata.name, stored.map(({ served }) => served)]).toEqual([metadata.name, [true]]);
      const schema = stored[0]?.schema.openAPIV3Schema ?? {};
      expect([metadata.name, schema.description]).toEqual([metadata.name, undefined]);
    }
  });

  test('have types for every group', () => {
    const groups = [...new Set(crds.map(({ spec }) => `${spec.group}.ts`))].sort();
    const files = readdirSync(path.join(ROOT, 'components', 'imports')).filter((file) => file.endsWith('.ts'));
    expect(files.sort()).toEqual(groups);
  });

  test('have types that name each field as the API does', () => {
    const types = readFileSync(path.join(ROOT, 'components', 'imports', 'cert-manager.io.ts'), 'utf8');
    expect(types).toContain('readonly isCA?: boolean;');
    expect(types).toContain("'isCA': obj.isCA,");
    expect(types).not.toMatch(/\bisCa\b/);
  });
});

describe('names of generated fields', () => {
  const source = [
    'export interface ThingSpec {',
    '  readonly isCa?: boolean;',
    '  readonly podCidRs: string[];',
    '  readonly xName?: Other;',
    '  readonly plain: string;',
    '}',
    '',
    'export function toJson_ThingSpec(obj: ThingSpec | undefined): Record<string, any> | undefined {',
    '  if (obj === undefined) { return undefined; }',
    '  const result = {',
    "    'isCA': obj.isCa,",
    "    'podCIDRs': obj.podCidRs?.map(y => y),",
    "    'x-name': toJson_Other(obj.xName),",
    "    'plain': obj.plain,",
    '  };',
    '  return result;',
    '}',
  ].join('\n');

  test('become those of the API, in the type and where it is converted', () => {
    expect(wireNames(`\n${source}`).split('\n').slice(2, 6)).toEqual([
      '  readonly isCA?: boolean;',
      '  readonly podCIDRs: string[];',
      "  readonly 'x-name'?: Other;",
      '  readonly plain: string;',
    ]);
    expect(wireNames(`\n${source}`).split('\n').slice(11, 15)).toEqual([
      "    'isCA': obj.isCA,",
      "    'podCIDRs': obj.podCIDRs?.map(y => y),",
      "    'x-name': toJson_Other(obj['x-name']),",
      "    'plain': obj.plain,",
    ]);
  });

  test('are not left wrong where a type is missing', () => {
    const converter = source.slice(source.indexOf('export function'));
    expect(() => wireNames(converter)).toThrow('a converter for ThingSpec, but no interface');
  });
});
