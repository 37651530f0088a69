import type { ApiObject } from 'cdk8s';
import { render } from '../../../bridge/render';
import { container, deployment, object } from './objects';
import { freshChart } from './support';

describe('order', () => {
  it('puts namespaces first, and a pod after the ConfigMap and account that it needs', () => {
    const { app, chart } = freshChart();
    const d = deployment(chart, 'd', container({ envFrom: [{ configMapRef: { name: 'c' } }] }), {
      serviceAccountName: 'a',
    });
    const c = object(chart, 'c', 'v1', 'ConfigMap', { data: { A: '1' } });
    const a = object(chart, 'a', 'v1', 'ServiceAccount', {});
    const ns = object(chart, 'ns', 'v1', 'Namespace', { metadata: { name: 'test' } });
    const objects = render(app);
    expect(objects.at(0)?.path).toBe(ns.node.path);
    expect(objects.at(-1)?.path).toBe(d.node.path);
    expect(objects.at(-1)?.dependsOn).toEqual([a, c, ns].map((one) => one.node.path).sort());
  });

  it('takes ten layers of twenty objects in linear time, which cdk8s’ own sort never finishes', () => {
    const { app, chart } = freshChart();
    let below: ApiObject[] = [];
    for (let layer = 0; layer < 10; layer += 1) {
      const objects = Array.from({ length: 20 }, (_, index) =>
        object(chart, `l${layer}-${index}`, 'v1', 'ConfigMap', { data: {} }),
      );
      for (const one of objects) one.addDependency(...below);
      below = objects;
    }
    const started = performance.now();
    expect(render(app)).toHaveLength(200);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
