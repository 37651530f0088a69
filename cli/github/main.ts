import * as fs from 'node:fs';
import { Command } from 'commander';
import { exitCodeOf, messageOf } from '../exit';
import { githubOf } from './api';
import { clusterCredential } from './identity';
import { builtImages } from './images';
import { comment, issue } from './publish';

/** What the workflows in `.github/` run beside `./trellis`. */
const joined = (files: readonly string[]): string =>
  files
    .filter((file) => fs.existsSync(file))
    .map((file) => fs.readFileSync(file, 'utf8'))
    .join('\n');

const program = new Command('github').description('What the workflows run.').helpCommand(false);
program
  .command('comment')
  .description('Writes the one comment of its name on a pull request, or puts the new text in its place.')
  .requiredOption('--pull-request <number>', 'which one', Number)
  .argument('<name>', 'tells it from other comments')
  .argument('<files...>', 'Markdown; one that is not there is left out')
  .action(async (name: string, files: readonly string[], { pullRequest }: { readonly pullRequest: number }) => {
    console.log(await comment(githubOf(process.env), pullRequest, { name, body: joined(files) }));
  });
program
  .command('issue')
  .description('Opens the one issue of its name, or puts the new text in its place.')
  .requiredOption('--title <text>', 'of the issue')
  .argument('<name>', 'tells it from other issues')
  .argument('<files...>', 'Markdown')
  .action(async (name: string, files: readonly string[], { title }: { readonly title: string }) => {
    console.log(await issue(githubOf(process.env), title, { name, body: joined(files) }));
  });
program
  .command('cluster-credential')
  .description('For the exec of a kubeconfig: the identity of this job.')
  .argument('<audience>', 'whom the token is for')
  .action(async (audience: string) => console.log(await clusterCredential(process.env, audience)));
program
  .command('images')
  .description('From `pulumi stack output --json` on stdin: the images that the stack built, one a line.')
  .argument('<registry>', 'where they were pushed')
  .action((registry: string) => {
    const images = builtImages(fs.readFileSync(0, 'utf8'), registry);
    process.stdout.write(images.map((image) => `${image}\n`).join(''));
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
