import { customResourceDefinitions } from '../../../local/index';
import { drift, readConformance, readScores } from '../../../cli/manifest-checks';
import { customSchemaFiles, fileOf, schemaFiles, schemaLocation, strict } from '../../../cli/manifests/openapi';

const kind = (group: string, version: string, name: string): object[] => [{ group, version, kind: name }];
const document = {
  components: {
    schemas: {
      'io.k8s.Deployment': {
        type: 'object',
        'x-kubernetes-group-version-kind': kind('apps', 'v1', 'Deployment'),
        properties: {
          metadata: { allOf: [{ $ref: '#/components/schemas/io.k8s.Meta' }], default: {} },
          spec: { $ref: '#/components/schemas/io.k8s.Spec' },
        },
      },
      'io.k8s.Meta': {
        type: 'object',
        properties: { labels: { type: 'object', additionalProperties: { type: 'string' } } },
      },
      'io.k8s.Spec': {
        type: 'object',
        properties: {
          default: { type: 'string' },
          free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
      'io.k8s.Unused': { type: 'object', properties: {} },
      'io.k8s.Options': {
        'x-kubernetes-group-version-kind': [...kind('', 'v1', 'DeleteOptions'), ...kind('apps', 'v1', 'DeleteOptions')],
        properties: { metadata: {} },
      },
    },
  },
};

describe('schemas from the API server', () => {
  test('are a file each kind, named as kubeconform asks for it', () => {
    expect([...schemaFiles(document).keys()]).toEqual(['deployment-apps-v1.json']);
    expect(fileOf('', 'v1', 'Secret')).toBe('secret-v1.json');
    expect(fileOf('networking.k8s.io', 'v1', 'Ingress')).toBe('ingress-networking-v1.json');
    expect(schemaLocation('/s')).toBe('/s/{{ .ResourceKind }}{{ .KindSuffix }}.json');
  });

  test('hold what they refer to and nothing else', () => {
    const text = schemaFiles(document).get('deployment-apps-v1.json') ?? '{}';
    const schema = JSON.parse(text) as { $ref: string; definitions: Record<string, unknown> };
    expect(schema.$ref).toBe('#/definitions/io.k8s.Deployment');
    expect(Object.keys(schema.definitions).sort()).toEqual(['io.k8s.Deployment', 'io.k8s.Meta', 'io.k8s.Spec']);
    expect(text).not.toContain('#/components/');
  });

  test('refuse a field that has no name there, save where any is allowed', () => {
    const spec = strict(document.components.schemas['io.k8s.Spec']) as { properties: { free: object } };
    expect(spec).toMatchObject({ additionalProperties: false, properties: { default: { type: 'string' } } });
    expect(spec.properties.free).toEqual({ type: 'object' });
    const meta = strict(document.components.schemas['io.k8s.Meta']) as { properties: { labels: object } };
    expect(meta.properties.labels).toEqual({ type: 'object', additionalProperties: { type: 'string' } });
  });
});

describe('schemas of custom resources', () => {
  const files = customSchemaFiles(customResourceDefinitions());

  test('are a file each kind and version', () => {
    expect([...files.keys()]).toEqual(
      expect.arrayContaining([
        'certificate-cert-manager-v1.json',
        'cluster-postgresql-v1.json',
        'externalsecret-external-secrets-v1.json',
        'httproute-gateway-v1.json',
        'referencegrant-gateway-v1beta1.json',
        'sealedsecret-bitnami-v1alpha1.json',
        'servicemonitor-monitoring-v1.json',
      ]),
    );
  });

  test('refuse a field that has no name there', () => {
    const schema = JSON.parse(files.get('certificate-cert-manager-v1.json') ?? '{}') as {
      properties: { spec: { additionalProperties: boolean; properties: object } };
    };
    expect(schema.properties.spec.additionalProperties).toBe(false);
    expect(schema.properties.spec.properties).toHaveProperty('isCA');
  });
});

describe('findings', () => {
  test('of kubeconform are what is invalid, and what it could not check', () => {
    const resource = (name: string, status: string, msg = '') => ({ kind: 'Service', name, status, msg });
    const output = JSON.stringify({
      resources: [
        resource('a', 'statusValid'),
        resource('b', 'statusInvalid', 'got string, want integer'),
        resource('c', 'statusSkipped'),
        resource('d', 'statusError', 'could not find schema'),
      ],
    });
    expect(readConformance(output)).toEqual([
      'Service b: got string, want integer',
      'Service c: statusSkipped',
      'Service d: could not find schema',
    ]);
    expect(readConformance('{}')).toEqual([]);
  });

  test('of kube-score are warnings and worse that the object does not waive', () => {
    const check = (id: string, grade: number, skipped = false) => ({
      check: { id },
      grade,
      skipped,
      comments: [{ path: 'app', summary: 'why' }],
    });
    const checks = [check('one', 1), check('five', 5), check('seven', 7), check('ten', 10), check('waived', 1, true)];
    const output = JSON.stringify([
      { object_name: 'Deployment/x', checks },
      { object_name: 'Secret/y', checks: null },
    ]);
    expect(readScores(output)).toEqual(['Deployment/x: one: app: why', 'Deployment/x: five: app: why']);
  });
});

describe('golden files', () => {
  test('that are the same are no problem', () => {
    expect(drift('a\nb\n', 'a\nb\n', 'test/golden/dev.yaml')).toBeUndefined();
  });

  test('that differ show where, and the command that takes the new text over', () => {
    const problem = drift('a\nb\nc\n', 'a\nX\nc\n', 'test/golden/dev.yaml');
    expect(problem).toContain('differs from line 2 on');
    expect(problem).toContain('  - b\n');
    expect(problem).toContain('  + X\n');
    expect(problem).toContain('./trellis render -s dev -o test/golden/dev.yaml');
  });

  test('that are longer or missing are a problem too', () => {
    expect(drift('a\n', 'a\nb\n', 'g/dev.yaml')).toContain('line 2');
    expect(drift('a\nb\n', 'a', 'g/dev.yaml')).toContain('line 2');
    expect(drift(undefined, 'a', 'g/dev.yaml')).toContain('is missing');
  });
});
