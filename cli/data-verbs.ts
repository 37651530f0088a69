import type { Command } from 'commander';
import { Argument } from 'commander';
import { examples, load, stackOption } from './options';
import type * as Backup from './verbs/backup';
import type * as Promote from './verbs/promote';
import type * as Restore from './verbs/restore';
import type * as Rotate from './verbs/rotate';
import type * as Seal from './verbs/seal';

function backupVerbs(program: Command): void {
  program
    .command('backup')
    .summary('back up databases, caches and volumes now')
    .description(
      'Starts the stack’s own backup jobs now and waits for them. Prints each archive with its size and checksum.',
    )
    .argument('[names...]', 'systems, components, or SYSTEM/COMPONENT; all of them without a name')
    .addOption(stackOption())
    .option('--drill', 'then restore each new archive for practice, in a place of its own')
    .addHelpText(
      'after',
      examples(
        ['./trellis backup', 'all that the dev stack backs up'],
        ['./trellis backup noodle-core/postgres --drill', 'one database, and whether it can be restored'],
      ),
    )
    .action((names: string[], options: Backup.BackupVerbOptions) =>
      load<typeof Backup>('backup').backup(names, options),
    );
  program
    .command('restore')
    .summary('bring a database, a cache or a volume back from an archive')
    .description(
      'Restores an archive after its checksum was looked at. What holds data already is refused without --replace.',
    )
    .argument('<name>', 'component, one of its volumes, or SYSTEM/COMPONENT')
    .addOption(stackOption())
    .option('--from <archive>', 'name of an archive, or latest')
    .option('--list', 'only show which archives there are')
    .option('--replace', 'delete what is there first')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        ['./trellis restore noodle-core/postgres --list', 'which archives there are'],
        ['./trellis restore noodle-core/postgres --from latest', 'the newest one, into an empty database'],
      ),
    )
    .action((name: string, options: Restore.RestoreOptions) => load<typeof Restore>('restore').restore(name, options));
}

function recoveryVerbs(program: Command): void {
  program
    .command('promote')
    .summary('make a system’s standby database its primary')
    .description(
      'Makes the standby database of a system its primary, at once, and says what to change so that it lasts.',
    )
    .addArgument(new Argument('<system>', 'system whose database it is').choices(['noodle-core', 'noa-server']))
    .addOption(stackOption())
    .option('-y, --yes', 'do not ask whether the old primary is gone')
    .addHelpText(
      'after',
      examples(['./trellis promote -s west noodle-core', 'the region of Pulumi.west.yaml takes over']),
    )
    .action((system: Promote.SystemName, options: Promote.PromoteOptions) =>
      load<typeof Promote>('promote').promote(system, options),
    );
}

function editingVerbs(program: Command): void {
  program
    .command('rotate')
    .summary('make the next edit of a password’s rotation: stage, switch, retire')
    .description(
      'Edits the stack’s file for the next step of one password, which the next `up` deploys; without one, says how far each is.',
    )
    .argument('[password]', 'such as noodleCore.postgres')
    .addOption(stackOption())
    .addHelpText(
      'after',
      examples(
        ['./trellis rotate -s prod', 'which passwords there are, and what comes next'],
        ['./trellis rotate noodleCore.redis', 'the next step; then: ./trellis up'],
      ),
    )
    .action((password: string | undefined, options: Rotate.RotateOptions) =>
      load<typeof Rotate>('rotate').rotate(password, options),
    );
}

function sealVerb(program: Command): void {
  program
    .command('seal')
    .summary('encrypt a stack’s secrets for its cluster, into a file of the repository')
    .description(
      'Makes every secret that has none yet, and encrypts it for the controller of Sealed Secrets. No value is written or shown.',
    )
    .addOption(stackOption())
    .requiredOption('--cert <file>', 'the controller’s certificate (kubeseal --fetch-cert)')
    .option('--rotate <name...>', 'make these secrets anew', [])
    .option('--from-stdin <name>', 'take the value of this one from stdin, where it exists already')
    .addHelpText(
      'after',
      examples(
        ['./trellis seal -s prod --cert prod.pem', 'what prod needs and has not yet'],
        ['./trellis seal -s prod --cert prod.pem --rotate noodle-core-redis', 'a new password'],
      ),
    )
    .action((options: Seal.SealOptions) => load<typeof Seal>('seal').seal(options));
}

/** Verbs for what a system keeps: archives, standbys, passwords. */
export function dataVerbs(program: Command): void {
  backupVerbs(program);
  recoveryVerbs(program);
  editingVerbs(program);
  sealVerb(program);
}
