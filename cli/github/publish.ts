import { LONGEST_COMMENT } from '../markdown';
import { all, call, type Github } from './api';

/** A report that there is only one of, however often it is published. */
export interface Report {
  /** Tells it from others, such as `review`. */
  readonly name: string;
  /** Markdown. */
  readonly body: string;
}

interface Published {
  readonly id: number;
  readonly number?: number;
  readonly body?: string | null;
  readonly user?: { readonly type?: string } | null;
  readonly pull_request?: unknown;
}

const markerOf = ({ name }: Report): string => `<!-- trellis: ${name} -->`;

function textOf(report: Report): string {
  const text = `${markerOf(report)}\n${report.body}`;
  const end = '\n\n… cut here\n';
  return text.length <= LONGEST_COMMENT ? text : `${text.slice(0, LONGEST_COMMENT - end.length)}${end}`;
}

// Anybody may write a comment that begins like ours: only what a job wrote is ever changed.
const isOurs = (report: Report, { body, user }: Published): boolean =>
  user?.type === 'Bot' && body?.startsWith(markerOf(report)) === true;

/** Writes the one comment on a pull request, or puts the new text in its place. */
export async function comment(github: Github, pullRequest: number, report: Report): Promise<'created' | 'updated'> {
  const there = await all<Published>(github, `issues/${pullRequest}/comments`);
  const known = there.find((each) => isOurs(report, each));
  const body = { body: textOf(report) };
  if (known === undefined) await call(github, 'POST', `issues/${pullRequest}/comments`, body);
  else await call(github, 'PATCH', `issues/comments/${known.id}`, body);
  return known === undefined ? 'created' : 'updated';
}

/** Opens the one issue about something, or puts the new text in its place; one that was closed is left so, and a new one opened. */
export async function issue(github: Github, title: string, report: Report): Promise<'created' | 'updated'> {
  const there = await all<Published>(github, 'issues?state=open');
  const known = there.find((each) => each.pull_request === undefined && isOurs(report, each));
  const body = { title, body: textOf(report) };
  if (known === undefined) await call(github, 'POST', 'issues', body);
  else await call(github, 'PATCH', `issues/${known.number ?? known.id}`, body);
  return known === undefined ? 'created' : 'updated';
}
