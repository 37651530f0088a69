import type { AlertCase } from './promtool-case';
import { growing, pair, series, steady } from './promtool-case';

const JOB = 'backups';
/** In minutes: beyond a day and two hours, and beyond eight days. */
const [OVERDUE, UNPROVED] = [27 * 60, 193 * 60] as const;

const of = (metric: string): string => series(JOB, metric, { backup: 'kept' });
const success = of('backup_last_success_timestamp_seconds');
const verified = of('backup_last_verified_timestamp_seconds');

/** A backup a day; time begins at zero in promtool. */
export const backupCases: readonly AlertCase[] = [
  ...pair(
    'BackupOverdue',
    JOB,
    `${OVERDUE}m`,
    ['the last good one is 27 hours old', { [success]: steady(0, OVERDUE) }],
    ['the last good one is new', { [success]: growing(60, OVERDUE) }],
  ),
  ...pair(
    'BackupMissing',
    JOB,
    `${OVERDUE}m`,
    ['none was ever reported', {}],
    ['one was reported', { [success]: growing(60, OVERDUE) }],
  ),
  ...pair(
    'BackupUnproved',
    JOB,
    `${UNPROVED}m`,
    ['the last drill that passed is eight days old', { [verified]: steady(0, UNPROVED) }],
    ['a drill has passed now', { [verified]: growing(60, UNPROVED) }],
  ),
  ...pair(
    'BackupNeverProved',
    JOB,
    `${UNPROVED}m`,
    ['no drill was ever reported', {}],
    ['one has passed', { [verified]: growing(60, UNPROVED) }],
  ),
  ...pair(
    'BackupShrunk',
    JOB,
    '45m',
    ['to 40 %', { [of('backup_size_bytes')]: `${steady(100, 20)} ${steady(40, 40)}` }],
    ['to 60 %', { [of('backup_size_bytes')]: `${steady(100, 20)} ${steady(60, 40)}` }],
  ),
];
