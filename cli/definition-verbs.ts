import type { Command } from 'commander';
import { Argument, Option } from 'commander';
import { GITOPS_TOOLS } from './gitops/options';
import { examples, limitOption, load, outputOption, simulateOption, stackOption } from './options';
import { ENVIRONMENTS } from './stack-program';
import type * as Compose from './verbs/compose';
import type * as Diff from './verbs/diff';
import type * as Preview from './verbs/preview';
import type * as Render from './verbs/render';

function reviewVerbs(program: Command): void {
  program
    .command('preview')
    .summary('show what up would change')
    .description('Shows what `up` would change, and changes nothing. Makes sure first that the engine is there.')
    .addOption(stackOption())
    .option('--all', 'every environment; one that fails does not stop the others')
    .option('--diff', 'each changed field')
    .option('--refresh', 'look first for changes made by hand')
    .option('--expect-no-changes', 'fail where anything would change')
    .addOption(simulateOption('what a rehearsal would change'))
    .addOption(
      new Option('-f, --format <name>', 'what Pulumi prints, or a report')
        .choices(['text', 'markdown'])
        .default('text'),
    )
    .addOption(outputOption())
    .addOption(limitOption())
    .addHelpText(
      'after',
      examples(
        ['./trellis preview -s prod --diff', 'each field that would change in prod'],
        ['./trellis preview --all -f markdown', 'every environment, as a comment on a change'],
        ['./trellis preview --all --refresh --expect-no-changes', 'was anything changed by hand?'],
      ),
    )
    .action((options: Preview.PreviewOptions) => load<typeof Preview>('preview').preview(options));
  program
    .command('diff')
    .summary('in what two environments differ, object by object')
    .description(
      'Prints in what two environments differ, or two git revisions of each environment. Secrets are never shown.',
    )
    .argument('<range>', 'such as dev..prod, or main..HEAD; main.. compares with the files as they are')
    .addOption(new Option('-s, --stack <name>', 'of revisions: only this environment').choices(ENVIRONMENTS))
    .addOption(
      new Option('-f, --format <name>', 'how it is written').choices(['text', 'json', 'markdown']).default('text'),
    )
    .addOption(outputOption())
    .addOption(limitOption())
    .option('--prices <file>', 'what a unit costs you, for Markdown; cost.yaml where there is one')
    .addHelpText(
      'after',
      examples(
        ['./trellis diff dev..prod', 'what prod has that dev has not'],
        ['./trellis diff main..HEAD', 'what the commits since main change, in each environment'],
        ['./trellis diff main..HEAD -s prod', 'the same in prod alone'],
        ['./trellis diff main.. -f markdown', 'as a comment on a change, with quotas and costs'],
      ),
    )
    .action((range: string, options: Diff.DiffOptions) => load<typeof Diff>('diff').diff(range, options));
}

function manifestVerbs(program: Command): void {
  program
    .command('render')
    .summary('print a stack’s manifests, without an engine or a cluster')
    .description(
      'Prints a stack as plain YAML; every secret is a reference or a ciphertext, never a value. With --for it writes a tree into a folder.',
    )
    .addOption(stackOption())
    .option('-o, --output <path>', 'write there instead of stdout: a file, or a folder with --for')
    .addOption(new Option('--for <tool>', 'a tree that this tool reconciles from a repository').choices(GITOPS_TOOLS))
    .option('--repository <url>', 'with --for: what the tool fetches')
    .option('--path <path>', 'with --for: where the tree lies in the repository', '')
    .option('--revision <name>', 'with --for: branch, refs/… or commit', 'main')
    .option('--no-prune', 'with --for: what leaves the repository stays in the cluster')
    .option('--no-self-heal', 'with --for argocd: what is changed by hand stays changed')
    .addHelpText(
      'after',
      examples(
        ['./trellis render -s prod -o prod.yaml', 'what prod consists of'],
        [
          './trellis render -s prod --for flux -o deploy --repository https://git.example.com/p.git --path deploy',
          'a tree for Flux',
        ],
      ),
    )
    .action((options: Render.RenderOptions) => load<typeof Render>('render').render(options));
}

function composeVerb(program: Command): void {
  program
    .command('compose')
    .summary('the same systems under Docker Compose, on one machine')
    .description(
      'Writes a Compose file from the charts: one of each, with hot reload in dev, TLS and limits in staging. Arguments go to Docker ' +
        'Compose, with the secrets that it needs; none is kept on disk.',
    )
    .addArgument(new Argument('<environment>', 'what is written').choices(['dev', 'staging']))
    .argument(
      '[arguments...]',
      'of Docker Compose, such as up --detach; watch bundles the reference service at each change',
    )
    .option('-o, --output <folder>', 'write there instead of .trellis/compose')
    .passThroughOptions()
    .addHelpText(
      'after',
      examples(
        ['./trellis compose dev', 'writes .trellis/compose/dev/compose.yaml'],
        ['./trellis compose -o . staging', 'writes compose.yaml here'],
        ['./trellis compose dev up --detach', 'builds the images and starts it'],
        ['./trellis compose dev down --volumes', 'ends it and removes its data'],
      ),
    )
    .action((environment: string, args: readonly string[], options: Compose.ComposeVerbOptions) =>
      load<typeof Compose>('compose').compose(environment, args, options),
    );
}

/** Verbs that look at the definition, compare it, or write it for others. */
export function definitionVerbs(program: Command): void {
  reviewVerbs(program);
  manifestVerbs(program);
  composeVerb(program);
}
