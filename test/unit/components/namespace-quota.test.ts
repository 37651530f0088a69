import { MOST_NODES_ANNOTATION, totalsOf } from '../../../components/namespace-quota';

test('a DaemonSet counts once for each node that there may be, since a node never has two of its pods', () => {
  const spec = { template: { spec: { containers: [{ resources: { requests: { cpu: '100m' } } }] } } };
  const set = (annotations?: Record<string, string>) => ({
    kind: 'DaemonSet',
    metadata: { name: 'fluent-bit', ...(annotations === undefined ? {} : { annotations }) },
    spec,
  });
  expect(totalsOf([set({ [MOST_NODES_ANNOTATION]: '5' })])).toMatchObject({ pods: 5, 'requests.cpu': 500 });
  expect(totalsOf([set()])).toMatchObject({ pods: 1, 'requests.cpu': 100 });
});

test('a StatefulSet with an autoscaler counts at its maximum, with a claim for each pod', () => {
  const metadata = { name: 'mcp' };
  const claim = { spec: { resources: { requests: { storage: '1Gi' } } } };
  const set = {
    kind: 'StatefulSet',
    metadata,
    spec: { replicas: 2, template: { spec: { containers: [] } }, volumeClaimTemplates: [claim] },
  };
  const scaler = (kind: string) => ({
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: { maxReplicas: 5, scaleTargetRef: { kind, name: 'mcp' } },
  });
  expect(totalsOf([set, scaler('StatefulSet')])).toMatchObject({ pods: 5, 'requests.storage': 5 * 2 ** 30 });
  expect(totalsOf([set, scaler('Deployment')])).toMatchObject({ pods: 2 });
});
