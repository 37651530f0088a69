import { awaitInputs } from '../../../bridge/awaits';
import type { RenderedObject } from '../../../bridge/render';

const SKIP = 'pulumi.com/skipAwait';
const object = (apiVersion: string, kind: string): RenderedObject => ({ apiVersion, kind }) as RenderedObject;
const annotations = (inputs: unknown): unknown =>
  (inputs as { readonly metadata?: { readonly annotations?: unknown } }).metadata?.annotations;

describe('what the engine waits for', () => {
  test.each([undefined, 'ClusterIP', 'ExternalName', 'NodePort'])('not for a Service of type %s', (type) => {
    const inputs = awaitInputs(object('v1', 'Service'), { metadata: { name: 'a' }, spec: { type, ports: [] } });
    expect(inputs).toEqual({ metadata: { name: 'a', annotations: { [SKIP]: 'true' } }, spec: { type, ports: [] } });
  });

  test('for the address of a load balancer', () => {
    const inputs = { metadata: { name: 'a' }, spec: { type: 'LoadBalancer' } };
    expect(awaitInputs(object('v1', 'Service'), inputs)).toEqual(inputs);
  });

  test('as the definition says, where it says so itself', () => {
    const metadata = { annotations: { [SKIP]: 'false', other: 'kept' } };
    expect(annotations(awaitInputs(object('v1', 'Service'), { metadata }))).toEqual(metadata.annotations);
  });

  test.each([
    ['external-secrets.io/v1', 'ExternalSecret', 'condition=Ready'],
    ['bitnami.com/v1alpha1', 'SealedSecret', 'condition=Synced'],
  ])('for the Secret that %s %s makes', (apiVersion, kind, made) => {
    expect(annotations(awaitInputs(object(apiVersion, kind), { metadata: { annotations: { own: 'kept' } } }))).toEqual({
      'pulumi.com/waitFor': made,
      'pulumi.com/timeoutSeconds': '180',
      own: 'kept',
    });
  });

  test.each([
    ['apps/v1', 'Deployment'],
    ['serving.example.com/v1', 'Service'],
  ])('for %s %s as it is', (apiVersion, kind) => {
    expect(awaitInputs(object(apiVersion, kind), { metadata: {} })).toEqual({ metadata: {} });
  });
});
