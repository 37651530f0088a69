import type { Command } from 'commander';
import { examples, load, minutes, settings, simulateOption, stackOption } from './options';
import type * as Canary from './verbs/canary';
import type * as Restart from './verbs/restart';
import type * as Rollback from './verbs/rollback';
import type * as Scale from './verbs/scale';
import type * as Verify from './verbs/verify';

const WORKLOAD = 'name of a Deployment or StatefulSet, or SYSTEM/NAME where two systems have it';
const YES = 'do not ask before a cluster of yours is changed';

function rolloutVerbs(program: Command): void {
  program
    .command('rollback')
    .summary('give a workload the template of an earlier revision')
    .description(
      'Puts the pods of a Deployment or StatefulSet back to an earlier revision, waits for them, and says how it lasts.',
    )
    .argument('<name>', WORKLOAD)
    .argument('[revision]', 'as --list shows them; the one before the current if left out')
    .addOption(stackOption())
    .option('-l, --list', 'show the revisions, with image, age and cause')
    .option('-y, --yes', YES)
    .addOption(simulateOption('in the rehearsal'))
    .addHelpText(
      'after',
      examples(
        ['./trellis rollback noodle-runtime --list', 'what there is to go back to'],
        ['./trellis rollback noodle-runtime', 'to the revision before the current one'],
        ['./trellis rollback noa-server/ui 3 -s prod', 'to a certain one, in prod'],
      ),
    )
    .action((name: string, revision: string | undefined, options: Rollback.RollbackOptions) =>
      load<typeof Rollback>('rollback').rollback(name, revision, options),
    );
  program
    .command('restart')
    .summary('replace every pod of a workload, one after the other')
    .description('Replaces the pods of a Deployment or StatefulSet as a roll-out does, and waits for the last.')
    .argument('<name>', WORKLOAD)
    .addOption(stackOption())
    .option('-y, --yes', YES)
    .addOption(simulateOption('in the rehearsal'))
    .addHelpText('after', examples(['./trellis restart noodle-core/redis', 'the cache of one of the systems']))
    .action((name: string, options: Restart.RestartOptions) => load<typeof Restart>('restart').restart(name, options));
}

function canaryVerb(program: Command): void {
  program
    .command('canary')
    .summary('give a second version more and more requests, as long as it does well')
    .description(
      'Raises the weight of a canary in steps. It goes back to 0 when the alert that pages would fire for it, or nothing is known of it.',
    )
    .argument('<system.service>', 'keys of the configuration, such as noodleCore.runtime')
    .addOption(stackOption())
    .option('--steps <percents>', 'shares of the requests, rising', '10,25,50')
    .option('--step-time <time>', 'how long each is watched', '5m')
    .option('--objective <share>', 'share of requests without an error; what the service promises if left out')
    .option('--prometheus <namespace/service:port>', 'whom to ask; the stack’s own if left out')
    .option('--set <key=value>', 'another value of the configuration for this once; may be repeated', settings, [])
    .option('-y, --yes', YES)
    .option('--wait <minutes>', 'wait so long for another run that holds the lock', minutes, 0)
    .addHelpText(
      'after',
      examples(
        ['./trellis canary noodleCore.runtime', 'to 10, 25 and 50 % in a quarter of an hour'],
        ['./trellis canary noaServer.ui --steps 5,50 --step-time 30m -s prod', 'slower, in prod'],
      ),
    )
    .action((name: string, options: Canary.CanaryOptions) => load<typeof Canary>('canary').canary(name, options));
}

export function operatingVerbs(program: Command): void {
  program
    .command('verify')
    .summary('smoke test: pods, addresses, certificates, back ends, autoscalers, jobs')
    .description('Checks that what was deployed does what it is for, a line for each check. Exits 1 if one fails.')
    .addOption(stackOption())
    .addOption(simulateOption('of the rehearsal, as far as that makes sense'))
    .option('--wait <minutes>', 'look again for so long at what fails', minutes, 0)
    .addHelpText('after', examples(['./trellis verify -s prod --wait 5', 'after a change that somebody else made']))
    .action((options: Verify.VerifyOptions) => load<typeof Verify>('verify').verify(options));
  program
    .command('scale')
    .summary('another number of pods for the time being')
    .description(
      'Gives a Deployment or StatefulSet so many pods, or its autoscaler that minimum, and says which key makes it last.',
    )
    .argument('<name>', WORKLOAD)
    .argument('<pods>', 'how many; 0 ends them all')
    .addOption(stackOption())
    .option('-y, --yes', YES)
    .addOption(simulateOption('in the rehearsal'))
    .addHelpText('after', examples(['./trellis scale noodle-runtime 2', 'at least two, whatever the load']))
    .action((name: string, pods: string, options: Scale.ScaleOptions) =>
      load<typeof Scale>('scale').scale(name, pods, options),
    );
  rolloutVerbs(program);
  canaryVerb(program);
}
