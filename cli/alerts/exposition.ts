import * as fs from 'node:fs';
import * as path from 'node:path';

/** Names of an exporter's series, as it was seen to write them. */
export interface MetricNames {
  /** What wrote them, and in which version; or which documentation names them. */
  readonly source: string;
  /** Sorted; those of a histogram with their suffixes. */
  readonly names: readonly string[];
}

/** Where the catalogue lies: a file for each exporter, named like it. */
export const CATALOGUE = path.join(__dirname, 'metric-names');

/** Names that Prometheus makes itself, for every target. */
export const OF_PROMETHEUS: readonly string[] = ['up'];

/** Names of all series in what an exporter answers. */
export const namesOf = (...texts: readonly string[]): readonly string[] => {
  const names = texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0] ?? ''),
  );
  return [...new Set(names.filter(Boolean))].sort();
};

/** The catalogue's part of one exporter. */
export const metricNames = (exporter: string): MetricNames =>
  JSON.parse(fs.readFileSync(path.join(CATALOGUE, `${exporter}.json`), 'utf8')) as MetricNames;

/** Writes the catalogue's part of one exporter. */
export function writeNames(exporter: string, found: MetricNames): void {
  fs.writeFileSync(path.join(CATALOGUE, `${exporter}.json`), `${JSON.stringify(found, null, 2)}\n`);
}
