import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { alertsOf, burnAlerts, prometheusRules } from '../../components';
import { run } from '../../local/index';
import type { Check } from '../suites/suite';
import { backupCases } from './backup-cases';
import { cacheCases } from './cache-cases';
import { databaseCases } from './database-cases';
import { inferenceCases } from './inference-cases';
import type { AlertCase } from './promtool-case';
import type { Sample } from './samples';
import { NAMESPACE, samples } from './samples';
import { serviceCases } from './service-cases';

/** Every case of every alert. */
export const CASES: readonly AlertCase[] = [
  ...databaseCases,
  ...cacheCases,
  ...serviceCases,
  ...inferenceCases,
  ...backupCases,
];

/** Alerts of a sample without a case in which they fire, or without one in which they do not. */
export function untested({ component }: Sample, cases: readonly AlertCase[]): readonly string[] {
  return alertsOf(component.monitoring).flatMap(({ alert }) =>
    [true, false]
      .filter((fires) => !cases.some((one) => one.alert === alert && one.fires === fires))
      .map((fires) => `${alert} has no case in which it ${fires ? 'fires' : 'does not fire'}`),
  );
}

/** A case that is looked at after more than sixteen hours, in minutes. */
const DAYS = /^\d{4,}m$/;

/** One of promtool's tests. It asks for what fires, with the labels by which alerts are routed. */
function testGroup({ alert, title, fires, at, series, job }: AlertCase, severity: string): object {
  return {
    name: `${alert}: ${title}`,
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: `count by (severity, namespace, job) (ALERTS{alertname="${alert}",alertstate="firing"})`,
        eval_time: at,
        exp_samples: fires
          ? [{ labels: `{severity="${severity}",namespace="${NAMESPACE}",job="${job}"}`, value: 1 }]
          : [],
      },
    ],
  };
}

/** What promtool needs to test one sample, by the names of the files. */
export function promtoolFiles({ component }: Sample, cases: readonly AlertCase[]): Readonly<Record<string, string>> {
  const { monitoring } = component;
  const budgets = new Set(monitoring.objectives.flatMap(burnAlerts).map(({ alert }) => alert));
  const severities = new Map(alertsOf(monitoring).map(({ alert, severity }) => [alert, severity]));
  const overDays = ({ alert, at }: AlertCase): boolean => budgets.has(alert) || DAYS.test(at);
  const file = (own: readonly AlertCase[], evaluated: string): string => {
    const tests = own.flatMap((one) => {
      const severity = severities.get(one.alert);
      return severity === undefined ? [] : [testGroup(one, severity)];
    });
    return stringify({ rule_files: ['rules.yaml'], evaluation_interval: evaluated, tests });
  };
  const soon = cases.filter((one) => !overDays(one));
  return {
    'rules.yaml': stringify(prometheusRules({ components: [component] })),
    'tests.yaml': file(soon, '1m'),
    // These look back over days, or hold for days: fewer evaluations tell the same.
    'days.yaml': file(cases.filter(overDays), '10m'),
  };
}

async function promtool(program: string, folder: string, ...args: readonly string[]): Promise<string | undefined> {
  // Days of samples are garbage in seconds: with Go's usual haste to collect it the tests take half as long again.
  const { code, stdout, stderr } = await run([program, ...args], { cwd: folder, env: { GOGC: '400' } });
  return code === 0 ? undefined : `${stdout}${stderr}`.trim() || `promtool ended with code ${code}`;
}

/** Every sample's rules through promtool: whether they are valid, and each alert's cases; two tests a sample, and one for the cases. */
export async function checkAlerts(program: string, progress: (line: string) => void): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trellis-alerts-'));
  try {
    for (const sample of samples()) {
      progress(`alerts of ${sample.title}`);
      for (const [file, text] of Object.entries(promtoolFiles(sample, CASES)))
        fs.writeFileSync(path.join(folder, file), text);
      const missing = untested(sample, CASES);
      const name = `alerts of ${sample.title}`;
      checks.push(
        { name: `${name}: every one has cases`, problem: missing.length === 0 ? undefined : missing.join('\n') },
        { name: `${name}: promtool check`, problem: await promtool(program, folder, 'check', 'rules', 'rules.yaml') },
        {
          name: `${name}: promtool test`,
          problem: await promtool(program, folder, 'test', 'rules', 'tests.yaml', 'days.yaml'),
        },
      );
    }
    return checks;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
