import * as os from 'node:os';
import { compile } from './compile';
import { BenchError, measure } from './measure';
import type { Measured } from './measure';
import { previews } from './preview';
import type { Figures, Scenario } from './scenarios';
import * as scenarios from './scenarios';
import { isBusy, summary, table } from './statistics';
import type { Summary } from './statistics';

/** `npm run bench [-- --quick]`: a table of what speed there is, every ratio from this one run. */
const quick = process.argv.includes('--quick');
const RUNS = quick ? 2 : 5;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Figures that a program printed about itself, if it is one of ours. */
function toldBy({ output }: Measured): Readonly<Record<string, number>> {
  return output.startsWith('{"') ? (JSON.parse(output) as Record<string, number>) : {};
}

function figuresOf(runs: readonly Measured[]): Figures {
  const told = runs.map(toldBy);
  const names = Object.keys(told[0] ?? {});
  return {
    seconds: summary(runs.map(({ seconds }) => seconds)),
    mebibytes: summary(runs.map(({ mebibytes }) => mebibytes)),
    told: Object.fromEntries(names.map((name) => [name, summary(told.map((each) => each[name] ?? NaN))])),
  };
}

/** One run of each in turn, so that what else the machine does falls on all alike; the first round only warms caches. */
async function runAll(list: readonly Scenario[]): Promise<ReadonlyMap<string, Figures>> {
  const runs = new Map<string, Measured[]>(list.map(({ name }) => [name, []]));
  for (let round = quick ? 1 : 0; round <= RUNS; round += 1) {
    say(round === 0 ? 'Warming up' : `Round ${round} of ${RUNS}, load ${(os.loadavg()[0] ?? 0).toFixed(1)}`);
    for (const { name, command } of list) {
      const measured = await measure(command);
      if (round > 0) runs.get(name)?.push(measured);
    }
  }
  return new Map([...runs].map(([name, measured]) => [name, figuresOf(measured)]));
}

function rowOf(scenario: Scenario, all: ReadonlyMap<string, Figures>): readonly string[] {
  const own = all.get(scenario.name);
  if (own === undefined) throw new BenchError(`${scenario.name} did not run`);
  const seconds = shown(scenario, own);
  const reference = scenario.against === undefined ? undefined : all.get(scenario.against);
  const ratio = reference === undefined ? '' : (seconds.median / shown(scenario, reference).median).toFixed(2);
  const bars = (scenario.bars?.(own, all) ?? []).map(({ text, met }) => `${text} ${met ? '✔' : '✖'}`);
  const figures = [seconds.minimum, seconds.median, seconds.maximum].map((figure) => figure.toFixed(3));
  return [scenario.name, ...figures, own.mebibytes.median.toFixed(0), ratio, bars.join('; ')];
}

const shown = ({ figure }: Scenario, own: Figures): Summary =>
  figure === undefined ? own.seconds : (own.told[figure] ?? own.seconds);

async function main(): Promise<void> {
  const cores = os.cpus().length;
  const before = os.loadavg()[0] ?? 0;
  say('Compiling and writing the input of the other tools');
  const compiled = await compile();
  const tools = await scenarios.others(say);
  const preview = await previews();
  const sizes = quick ? scenarios.SIZES.slice(0, 2) : scenarios.SIZES;
  const list = [
    ...scenarios.startScenarios(compiled),
    ...scenarios.environmentScenarios(compiled),
    ...sizes.flatMap((size) => scenarios.sizeScenarios(compiled, size, tools)),
    scenarios.layeredScenario(compiled),
    ...(preview === undefined ? [] : scenarios.previewScenarios(preview)),
  ];
  try {
    const all = await runAll(list);
    const head = ['seconds', 'min', 'median', 'max', 'peak MiB', 'ratio', 'bars (medians)'];
    const busy = isBusy(before, cores) ? ' THE MACHINE WAS BUSY: compare ratios, not seconds.' : '';
    process.stdout.write(`${table([head, ...list.map((scenario) => rowOf(scenario, all))])}\n\n`);
    process.stdout.write(
      `${RUNS} runs each in turn; Node ${process.version}, ${cores} cores, ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB; load ${before.toFixed(1)} before, ${(os.loadavg()[0] ?? 0).toFixed(1)} after.${busy}\n`,
    );
    if (preview === undefined)
      process.stdout.write('No preview: prod is not rehearsed here. Start it with: ./trellis up -s prod --simulate\n');
  } finally {
    preview?.dispose();
  }
}

main().catch((error: unknown) => {
  say(error instanceof BenchError ? error.message : String(error));
  process.exitCode = 1;
});
