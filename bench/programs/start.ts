import { performance } from 'node:perf_hooks';
import type * as pulumi from '@pulumi/pulumi';

/**
 * Starts a Pulumi program as the SDK does, without an engine: `start.js <program> <root>`. It writes how many seconds of this process had
 * passed when the first resource was registered, when the last was, and how many there were.
 */
const [program = '', root = ''] = process.argv.slice(2);
const from = (name: string): string => require.resolve(name, { paths: [root] });

async function main(): Promise<void> {
  // oxlint-disable-next-line typescript/no-require-imports -- after the clock has started
  const sdk = require(from('@pulumi/pulumi')) as typeof pulumi;
  const times: number[] = [];
  const mocks: pulumi.runtime.Mocks = {
    // What the last deployment left: this is the first one.
    call: ({ inputs }) => ({ ...(inputs as object), outputs: {} }),
    newResource: ({ name, type, inputs }) => {
      if (!type.startsWith('pulumi:providers:')) times.push(performance.now() / 1000);
      return {
        id: name,
        state: { ...(inputs as object), result: 'x'.repeat(32), repoDigest: 'registry.example/x@sha256:0' },
      };
    },
  };
  await sdk.runtime.setMocks(mocks, 'trellis', 'prod', false, 'organization');
  // oxlint-disable-next-line typescript/no-require-imports -- as Pulumi.yaml has it
  if (program.endsWith('.ts')) require(from('./local/register-typescript'));
  // oxlint-disable-next-line typescript/no-require-imports -- the measured program
  const exported = require(program) as unknown;
  const outputs: unknown = typeof exported === 'function' ? await (exported as () => Promise<unknown>)() : exported;
  await new Promise((resolve) => (sdk.output(outputs) as pulumi.Output<unknown>).apply(resolve));
  await settled(times);
  process.stdout.write(JSON.stringify({ first: times[0] ?? 0, last: times.at(-1) ?? 0, resources: times.length }));
}

/** Registrations go on after the program's outputs are known; they have ended when none comes any more. */
async function settled(times: readonly number[]): Promise<void> {
  for (let known = -1; known !== times.length;) {
    known = times.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

void main();
