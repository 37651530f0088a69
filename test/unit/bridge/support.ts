import { App, Chart } from 'cdk8s';
import type { RenderedObject } from '../../../bridge/render';
import { render } from '../../../bridge/render';
import { DefinitionError } from '../../../bridge/errors';

/** A fresh App with one chart in namespace `test`. */
export function freshChart(): { readonly app: App; readonly chart: Chart } {
  const app = new App();
  return { app, chart: new Chart(app, 'chart', { namespace: 'test' }) };
}

/** The only object of a kind and name. */
export function find(app: App, kind: string, name: string): RenderedObject {
  const found = render(app).filter((object) => object.kind === kind && object.name === name);
  expect(found).toHaveLength(1);
  return found[0] as RenderedObject;
}

/** The problems that a definition is refused with. */
export function problemsOf(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems;
    throw error;
  }
  return [];
}
