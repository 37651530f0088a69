import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { ensureTool, preload, root, type ToolName } from '../local/index';
import type { Inputs } from './inputs';
import { writeInputs } from './inputs';
import type { Command } from './measure';
import type { Previews } from './preview';
import type { Bar, Summary } from './statistics';
import { atMost } from './statistics';

/** Figures of one thing: whole processes, and what they told of themselves. */
export interface Figures {
  readonly seconds: Summary;
  readonly mebibytes: Summary;
  /** Figures that the program printed as JSON, by name. */
  readonly told: Readonly<Record<string, Summary>>;
}

export interface Scenario {
  readonly name: string;
  readonly command: Command;
  /** Takes this figure that the program tells instead of the whole process' time. @default - the process' */
  readonly figure?: string;
  /** Name of the scenario that it is compared with. @default - none */
  readonly against?: string;
  /** @default - none: it stands beside the others */
  readonly bars?: (own: Figures, all: ReadonlyMap<string, Figures>) => readonly Bar[];
}

export const SIZES: readonly number[] = [100, 1000, 5000];
/** kustomize takes minutes for more. */
const KUSTOMIZE_MOST = 1000;
const OTHERS = ['helm', 'kustomize', 'jsonnet'] as const satisfies readonly ToolName[];
export type Others = Partial<Record<(typeof OTHERS)[number], string>>;

/** Those of the other tools that are there or build. */
export async function others(report: (line: string) => void): Promise<Others> {
  const found: Others = {};
  for (const name of OTHERS) {
    try {
      found[name] = await ensureTool(name, report);
    } catch (error) {
      report(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found;
}

type Compiled = (file: string) => string;
const node = (...args: readonly string[]): Command => ({ argv: [process.execPath, ...args], cwd: root });

/** The engine hands configuration over as text, structured values as JSON. */
function configuration(environment: string): Readonly<Record<string, string>> {
  const file = parse(fs.readFileSync(path.join(root, `Pulumi.${environment}.yaml`), 'utf8')) as {
    readonly config: Readonly<Record<string, unknown>>;
  };
  const entries = Object.entries(file.config).map(([key, value]) => [key, text(value)] as const);
  return { PULUMI_CONFIG: JSON.stringify(Object.fromEntries(entries)), PULUMI_CONFIG_SECRET_KEYS: '[]' };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** From the start of a program to its first resource. */
export function startScenarios(compiled: Compiled): readonly Scenario[] {
  const start = (program: string): Command => {
    // What the language host gives every program.
    const prepared = preload(require.resolve('@pulumi/pulumi/cmd/run'));
    const command = node(prepared, compiled('bench/programs/start.js'), program, root);
    return { ...command, env: configuration('prod') };
  };
  const plain = 'start to first resource: plain program, all of @pulumi/kubernetes';
  return [
    { name: plain, command: start(compiled('bench/programs/plain-kubernetes.js')), figure: 'first' },
    {
      name: 'start to first resource: the stack program (prod)',
      command: start(path.join(root, 'stacks/index.ts')),
      figure: 'first',
      against: plain,
      bars: ({ mebibytes }) => [atMost(mebibytes.median, 200, 'MiB')],
    },
  ];
}

/** A whole environment. */
export function environmentScenarios(compiled: Compiled): readonly Scenario[] {
  return [
    { name: 'Node.js alone', command: node('-e', '0') },
    {
      name: 'synth of prod, compiled',
      command: node(compiled('bench/programs/environment.js'), 'prod'),
      bars: ({ seconds, mebibytes }) => [atMost(seconds.median, 0.35, 's'), atMost(mebibytes.median, 110, 'MiB')],
    },
    { name: './trellis render -s prod', command: { argv: ['./trellis', 'render', '-s', 'prod'], cwd: root } },
  ];
}

/** As many objects through our components and beside them through the others. */
export function sizeScenarios(compiled: Compiled, size: number, tools: Others): readonly Scenario[] {
  const input = writeInputs(size);
  const program = (name: string, ...args: readonly string[]): Command =>
    node(compiled(`bench/programs/${name}.js`), ...args);
  const own: Scenario = {
    name: `${size} objects: our components`,
    command: program('render', 'platform', String(size)),
    bars: (figures, all) => sizeBars(size, figures, all),
  };
  const beside: Beside = (name, command) => ({ name: `${size} objects: ${name}`, command, against: own.name });
  return [
    own,
    beside('cdk8s alone', program('cdk8s', input.json)),
    beside('cdk8s-plus', program('cdk8s-plus', String(size))),
    ...otherScenarios(size, input, tools, beside),
  ];
}

type Beside = (name: string, command: Command) => Scenario;

function otherScenarios(
  size: number,
  input: Inputs,
  { helm, kustomize, jsonnet }: Others,
  beside: Beside,
): readonly Scenario[] {
  return [
    ...(helm === undefined ? [] : [beside('helm', { argv: [helm, 'template', 'bench', input.helm] })]),
    ...(kustomize === undefined || size > KUSTOMIZE_MOST
      ? []
      : [beside('kustomize', { argv: [kustomize, 'build', input.kustomize] })]),
    ...(jsonnet === undefined ? [] : [beside('jsonnet', { argv: [jsonnet, '-S', input.jsonnet] })]),
  ];
}

function sizeBars(size: number, own: Figures, all: ReadonlyMap<string, Figures>): readonly Bar[] {
  const helm = all.get(`${size} objects: helm`);
  const kustomize = all.get(`${size} objects: kustomize`);
  const small = all.get('1000 objects: our components')?.told.inside;
  const inside = own.told.inside;
  return [
    ...(helm === undefined ? [] : [{ text: '≤ 3 × helm', met: own.seconds.median <= 3 * helm.seconds.median }]),
    ...(kustomize === undefined || size < 1000
      ? []
      : [{ text: '< kustomize', met: own.seconds.median < kustomize.seconds.median }]),
    ...(size !== 5000 || small === undefined || inside === undefined
      ? []
      : [growthBar(inside.minimum / small.minimum)]),
  ];
}

/** Without the start of the process, and of the fastest runs, which other work disturbed least. */
const growthBar = (ratio: number): Bar => ({ text: `t(5000)/t(1000) = ${ratio.toFixed(1)} ≤ 6`, met: ratio <= 6 });

/** Ten layers of twenty objects, each on all of the layer below. */
export const layeredScenario = (compiled: Compiled): Scenario => ({
  name: 'layered, 10 × 20 objects',
  command: node(compiled('bench/programs/render.js'), 'layered', '200'),
  bars: ({ seconds }) => [atMost(seconds.median, 1, 's')],
});

/** `pulumi preview` of prod unchanged, and the engine's own floor. */
export function previewScenarios({ prod, floor }: Previews): readonly Scenario[] {
  const base = 'pulumi preview: a program that does nothing';
  return [
    { name: base, command: floor },
    {
      name: 'pulumi preview: prod, unchanged',
      command: prod,
      against: base,
      bars: ({ seconds }, all) => {
        const over = seconds.median - (all.get(base)?.seconds.median ?? 0);
        return [{ text: `${over.toFixed(1)} s over ≤ 3.5 s`, met: over <= 3.5 }];
      },
    },
  ];
}
