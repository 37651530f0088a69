import { alertsOf, collectMonitoring, isMonitored, prometheusRules } from '../../../components';
import { buildPlatform } from '../../../stacks/platform';
import { readSettings } from '../../../stacks/render';
import { mapSecrets } from '../../../stacks/secret-names';
import { monitoringProblems } from '../../support/promql';
import { IMAGES } from './platform';

const SECRET = 'canary-of-a-secret-';
const ENVIRONMENTS = ['dev', 'staging', 'prod'];

/** Both systems of an environment. */
async function platform(environment: string) {
  const settings = await readSettings(environment);
  const secrets = mapSecrets(settings, ({ name, length }) =>
    `${SECRET}${name.replaceAll('-', '')}`.padEnd(length, 'x'),
  );
  return buildPlatform(settings, {
    noodleCore: { images: IMAGES.noodleCore, secrets: secrets.noodleCore },
    noaServer: { images: IMAGES.noaServer, secrets: secrets.noaServer },
    observability: {
      ...{ images: IMAGES.observability, secrets: secrets.observability },
      receiverUrl: `https://alerts.example.test/${SECRET}`,
    },
  });
}

describe.each(ENVIRONMENTS)('what the systems of %s tell', (environment) => {
  it('comes together, names what is written, and never mixes two systems', async () => {
    const collected = collectMonitoring(await platform(environment));
    expect(collected.components.flatMap(monitoringProblems)).toEqual([]);
    const jobs = collected.targets.map(({ namespace, job }) => `${namespace}/${job}`);
    expect(new Set(jobs).size).toBe(jobs.length);
    for (const job of ['postgres', 'redis']) expect(jobs.filter((one) => one.endsWith(`/${job}`))).toHaveLength(2);
    expect(
      jobs.filter((one) => /\/(noodle-runtime|noodle-ide|ui|mcp|claude-flow|agentic-os|llama-cpp)$/.test(one)),
    ).toHaveLength(7);
  });

  it('covers every service that has metrics; Nginx has none', async () => {
    const app = await platform(environment);
    const silent = app.node
      .findAll()
      .filter(isMonitored)
      .filter((one) => one.monitoring().targets.length === 0)
      .map(({ node }) => node.id);
    expect(silent.filter((id) => id !== 'nginx')).toEqual([]);
  });

  it('gives rules without a secret', async () => {
    const collected = collectMonitoring(await platform(environment));
    const rules = JSON.stringify(prometheusRules(collected));
    expect(rules).toContain('PostgresDown');
    expect(rules).not.toContain(SECRET);
    expect(collected.components.flatMap(({ monitoring }) => alertsOf(monitoring)).length).toBeGreaterThan(80);
    // Shown for its key only, which goes to a file of the scraper.
    const guarded = collected.targets.filter(({ bearerToken }) => bearerToken !== undefined);
    expect(guarded.map(({ job }) => job)).toEqual(['llama-cpp']);
  });
});
