import { ApiObject, App, Chart } from 'cdk8s';
import { ValidationError } from '../../components/errors';
import type { Kinds, Labels } from '../../components/kube';
import { LateTokens } from '../../components/late';
import type { ReleaseOptions } from '../../components/release-options';
import { releaseOptionsOf } from '../../components/release-options';

/** An API object as it stands in YAML. */
export type Manifest<K extends keyof Kinds> = Kinds[K] & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
};

/** A chart of its own App, so that no test sees another's objects or tokens. */
export const newChart = (namespace?: string): Chart =>
  new Chart(new App(), 'test', namespace === undefined ? {} : { namespace });

/** Every object of a chart, as plain data; late values stay tokens, which tests look up by themselves. */
export function objectsOf(chart: Chart): readonly Manifest<keyof Kinds>[] {
  LateTokens.of(chart).fill();
  return JSON.parse(JSON.stringify(chart.toJson())) as readonly Manifest<keyof Kinds>[];
}

/** The object of this kind and name; fails where there is none or more than one. */
export function find<K extends keyof Kinds>(chart: Chart, kind: K, name: string): Manifest<K> {
  const objects = objectsOf(chart);
  const found = objects.filter((one) => `${one.apiVersion}/${one.kind}` === kind && one.metadata.name === name);
  if (found.length !== 1) {
    throw new TypeError(`expected one ${kind} '${name}', found ${found.length} in ${inventory(chart).join(', ')}`);
  }
  return found[0] as Manifest<K>;
}

/** Kind and name of every object, sorted. */
export const inventory = (chart: Chart): readonly string[] =>
  objectsOf(chart)
    .map((object) => `${object.kind}/${object.metadata.name}`)
    .sort();

/** What a deployment engine is told about the object of this kind and name. */
export function releaseOptions(chart: Chart, kind: string, name: string): ReleaseOptions {
  const objects = chart.node.findAll().filter((one): one is ApiObject => ApiObject.isApiObject(one));
  const object = objects.find((one) => one.kind === kind && one.name === name);
  if (object === undefined) throw new TypeError(`no ${kind} '${name}'`);
  return releaseOptionsOf(object);
}

/** The problems that a component found, one by one; none where it was content. */
export function problemsOf(build: () => unknown): readonly string[] {
  try {
    build();
  } catch (error) {
    if (error instanceof ValidationError) return error.problems;
    throw error;
  }
  return [];
}
