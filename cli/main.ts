import { Command, CommanderError, Option } from 'commander';
import { dataVerbs } from './data-verbs';
import { definitionVerbs } from './definition-verbs';
import { EXIT, exitCodeOf, messageOf } from './exit';
import { operatingVerbs } from './operating-verbs';
import { examples, load, minutes, settings, simulateOption, stackOption } from './options';
import type * as Doctor from './verbs/doctor';
import type * as Down from './verbs/down';
import type * as Env from './verbs/env';
import type * as Logs from './verbs/logs';
import type * as Status from './verbs/status';
import type * as Test from './verbs/test';
import type * as Up from './verbs/up';

const OVERVIEW = `
On a new machine, one command is enough:
  ./trellis up                         installs what is missing, starts a cluster, deploys the dev stack
  ./trellis test                       the same for the tests; prints their count

Then:
  ./trellis status                     is every pod Ready?
  ./trellis logs noodle-runtime -f     what does it say?
  eval "$(./trellis env)"              makes 'pulumi preview -s dev' and the like work as typed
  ./trellis down                       ends it all; the data stays (--purge removes it)

Exit codes: 0 done · 1 failed, or not everything is Ready · 2 wrong usage · 3 the machine lacks something
(./trellis doctor) · 4 another run holds the lock · 130 interrupted.
TRELLIS_DEBUG=1 shows where an error comes from.`;

function clusterVerbs(program: Command): void {
  program
    .command('up')
    .summary('bring a stack to life, and whatever it needs')
    .description('Brings a stack to life: tools, cluster, images, deployment. What is there already is left as it is.')
    .addOption(stackOption())
    .option('-y, --yes', 'do not ask, not even before a cluster of yours is changed')
    .option('--refresh', 'look first for changes made by hand, and undo them')
    .addOption(simulateOption('rehearse staging or prod here: real API server and scheduler, simulated nodes and pods'))
    .option('--set <key=value>', 'another value of the configuration for this once; may be repeated', settings, [])
    .option('--wait <minutes>', 'wait so long for another run that holds the lock', minutes, 0)
    .addHelpText(
      'after',
      examples(
        ['./trellis up', 'the dev stack on this machine'],
        ['./trellis up -s prod --yes', "prod, on the cluster that Pulumi.prod.yaml's context names"],
        ['./trellis up -s prod --simulate', 'prod as a rehearsal, on nodes and with pods that are simulated'],
        ['./trellis up --refresh', 'also undoes what was changed by hand'],
        ['./trellis up --wait 30', 'after another run has ended'],
        ['./trellis up --set noodleCore.runtime.minReplicas=2', 'with another value than the file has'],
      ),
    )
    .action((options: Up.UpOptions) => load<typeof Up>('up').up(options));
  program
    .command('down')
    .summary('end everything that this clone runs')
    .description('Ends every process that this clone started: cluster, private Docker engine, engines. The data stays.')
    .option('--purge', 'also remove the data: databases, images, the stacks’ state, the passphrase')
    .option('-y, --yes', 'do not ask before --purge')
    .addOption(simulateOption('end the rehearsals alone'))
    .addOption(new Option('-s, --stack <name>', 'with --simulate: only this rehearsal').choices(['staging', 'prod']))
    .option('--wait <minutes>', 'wait so long for another run that holds the lock', minutes, 0)
    .addHelpText(
      'after',
      examples(
        ['./trellis down', 'later, ./trellis up continues with the same data'],
        ['./trellis down -s prod --simulate', 'ends the rehearsal of prod alone'],
      ),
    )
    .action((options: Down.DownOptions) => load<typeof Down>('down').down(options));
}

function lookingVerbs(program: Command): void {
  program
    .command('status')
    .summary('cluster, pods, autoscalers, addresses; exits 1 if something is not Ready')
    .description('Shows the cluster’s processes, its nodes, and the stack’s pods, autoscalers and addresses.')
    .addOption(stackOption())
    .addOption(simulateOption('of the rehearsal'))
    .addHelpText('after', examples(['watch ./trellis status', 'while something rolls out']))
    .action((options: Status.StatusOptions) => load<typeof Status>('status').status(options));
  program
    .command('logs')
    .summary('logs of all pods of a service')
    .description('Prints the logs of every pod of a service, each line with the name of its pod.')
    .argument('<service>', 'name of a Service, or the value of app.kubernetes.io/name')
    .addOption(stackOption())
    .option('-f, --follow', 'keep on printing')
    .option('-n, --lines <count>', 'so many lines of each pod first', (text) => Math.trunc(minutes(text)), 100)
    .option('--since <time>', 'only what is not older, such as 15m')
    .option('-p, --previous', 'of the container that ran before the last restart')
    .addHelpText(
      'after',
      examples(
        ['./trellis logs postgres -n 20', 'the last 20 lines of each pod of PostgreSQL'],
        ['./trellis logs noodle-runtime -p', 'what it said before it crashed'],
      ),
    )
    .action((service: string, options: Logs.LogsOptions) => load<typeof Logs>('logs').logs(service, options));
}

function toolVerbs(program: Command): void {
  program
    .command('env')
    .summary('print what a shell needs for plain pulumi commands')
    .description('Prints `export` lines, and makes sure that what they name exists. All else goes to stderr.')
    .addHelpText('after', examples(['eval "$(./trellis env)"', 'then: pulumi preview -s dev, pulumi up -s dev, …']))
    .action(() => load<typeof Env>('env').env());
  program
    .command('doctor')
    .summary('what is missing on this machine, and the command that mends it')
    .description('Looks at everything that `up` and `test` rely on. Exits 3 if something that blocks them is missing.')
    .action(() => load<typeof Doctor>('doctor').doctor());
  program
    .command('test')
    .summary('every check of the project; installs what they need')
    .description(
      'Runs all suites, at once where they don’t meet: what needs no cluster, what changes the dev stack, what has its own. The last line counts all tests.',
    )
    .option('--suite <names>', 'only these, separated by commas', (text) => text.split(',').filter(Boolean))
    .addHelpText(
      'after',
      examples(
        ['./trellis test', 'all of it; needs Linux and root for the cluster'],
        ['./trellis test --suite static,unit', 'what needs nothing but Node.js'],
      ),
    )
    .action((options: Test.TestOptions) => load<typeof Test>('test').test(options));
}

/** The definition of every verb; the documentation is checked against it. */
export function build(): Command {
  const program = new Command('trellis')
    .usage('<verb> [options]')
    .description('Kubernetes platforms in TypeScript: one command from a new machine to running pods.')
    .helpOption('-h, --help', 'show this, or the help of a verb: ./trellis up --help')
    .helpCommand(false)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false, helpWidth: 120 })
    .addHelpText('after', OVERVIEW)
    .exitOverride();
  clusterVerbs(program);
  lookingVerbs(program);
  operatingVerbs(program);
  dataVerbs(program);
  definitionVerbs(program);
  toolVerbs(program);
  for (const verb of program.commands) verb.exitOverride().showHelpAfterError(`(./trellis ${verb.name()} --help)`);
  return program;
}

async function main(): Promise<void> {
  const program = build();
  try {
    if (process.argv.length <= 2) program.outputHelp();
    else await program.parseAsync();
  } catch (error) {
    const message = messageOf(error, process.env.TRELLIS_DEBUG === '1');
    if (message !== '' && !(error instanceof CommanderError)) process.stderr.write(`\ntrellis: ${message}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

if (require.main === module) {
  process.on('uncaughtException', (error) => {
    process.stderr.write(`trellis: ${messageOf(error, process.env.TRELLIS_DEBUG === '1')}\n`);
    process.exit(EXIT.failed);
  });
  void main();
}
