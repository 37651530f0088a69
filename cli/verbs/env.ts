import { exportLines, prepareEngine } from '../../local/index';

/** Prints `export` lines on stdout and nothing else there, so that a shell can evaluate it. */
export async function env(): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const engine = await prepareEngine(say);
  if (engine.backend !== undefined) say(`your own Pulumi backend is used: ${engine.backend}`);
  process.stdout.write(exportLines(engine.env));
}
