import * as path from 'node:path';
import { parse } from 'yaml';
import type { Composition } from '../../../../cli/compose/model';
import { compositionOf, serviceOf } from './support';

interface ScrapeConfig {
  readonly job_name: string;
  readonly file_sd_configs: readonly { readonly files: readonly string[] }[];
  readonly relabel_configs: readonly {
    readonly source_labels?: readonly [string];
    readonly regex?: string;
    readonly action?: string;
  }[];
}

/** What each job of Prometheus keeps of the pods in its files. */
function scrapeTargets({ configs }: Composition): Record<string, readonly string[]> {
  const text = configs.get('config/observability/prometheus-config/prometheus.yml') ?? '';
  const { scrape_configs: jobs } = parse(text) as { readonly scrape_configs: readonly ScrapeConfig[] };
  return Object.fromEntries(
    jobs.map(({ job_name: job, file_sd_configs: [discovery], relabel_configs: rules }) => {
      const file = path.basename(discovery?.files[0] ?? '');
      const pods = JSON.parse(configs.get(`config/observability/prometheus-pods/${file}`) ?? '[]') as readonly {
        readonly targets: readonly string[];
        readonly labels: Readonly<Record<string, string>>;
      }[];
      const kept = pods.filter(({ labels }) =>
        rules.every(({ source_labels: [name] = [''], regex = '', action }) => {
          const matches = new RegExp(`^(?:${regex})$`).test(labels[name] ?? '');
          return action === 'keep' ? matches : action !== 'drop' || !matches;
        }),
      );
      return [job, kept.flatMap(({ targets }) => targets)];
    }),
  );
}

describe('what watches the dev environment under Compose', () => {
  let made: Composition;
  beforeAll(async () => {
    made = await compositionOf('dev');
  });

  test('has Prometheus in every network, and each of its jobs finds one container', () => {
    const { networks = {}, volumes } = serviceOf(made, 'observability-prometheus');
    expect(Object.keys(networks).sort()).toEqual(['noa-server', 'noodle-core', 'observability']);
    expect(volumes).toContain('./config/observability/prometheus-pods:/run/pods:ro');
    expect(Object.keys(made.file.services)).not.toContain('observability-prometheus-pod-discovery');
    const found = scrapeTargets(made);
    const stores = ['noodle-core', 'noa-server'].flatMap((system) => [
      [`${system}-dev/postgres`, [`${system}-postgres:9187`]],
      [`${system}-dev/redis`, [`${system}-redis:9121`]],
    ]);
    expect(found).toEqual({
      ...Object.fromEntries(stores),
      'noodle-core-dev/noodle-runtime': ['noodle-core-noodle-runtime:8080'],
      'noodle-core-dev/noodle-ide': ['noodle-core-noodle-ide:8080'],
      'noa-server-dev/ui': ['noa-server-ui:3000'],
      'noa-server-dev/mcp': ['noa-server-mcp:8001'],
      'noa-server-dev/claude-flow': ['noa-server-claude-flow:9100'],
      'noa-server-dev/agentic-os': ['noa-server-agentic-os:9200'],
      'noa-server-dev/llama-cpp': ['noa-server-llama-cpp:8080'],
      'observability-dev/prometheus': ['observability-prometheus:9090'],
      'observability-dev/alertmanager': ['observability-alertmanager:9093'],
    });
  });

  test('has no backup, and no alert that waits for one', () => {
    expect(Object.keys(made.file.services).filter((name) => name.includes('backup'))).toEqual([]);
    const rules = [...made.configs].filter(([name]) => name.startsWith('config/observability/prometheus-rules/'));
    expect(rules.map(([name]) => path.basename(name)).sort()).toEqual([
      'noa-server-dev.yml',
      'noodle-core-dev.yml',
      'observability-dev.yml',
    ]);
    for (const [, text] of rules) expect(text).not.toContain('backup_');
  });
});
