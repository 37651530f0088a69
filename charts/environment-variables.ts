import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { SERVICES as NOA_SERVER, VARIABLES as NOA_SERVER_VARIABLES } from './noa-server/variables';
import { SERVICES as NOODLE_CORE, VARIABLES as NOODLE_CORE_VARIABLES } from './noodle-core/variables';
import type { SystemVariables } from './variables';
import { variablesPage } from './variables';

/** Variables of every system, in the order of the page. */
export const SYSTEMS: readonly SystemVariables[] = [
  {
    title: 'Noa Server',
    about:
      'A variable with a default is changed under `noaServer.variables` of an environment’s file, which is checked against this table.',
    services: NOA_SERVER,
    categories: NOA_SERVER_VARIABLES,
  },
  {
    title: 'NoodleCore',
    about:
      'All follow from the definition; what an environment’s file changes has a key of its own in `docs/configuration.md`.',
    services: NOODLE_CORE,
    categories: NOODLE_CORE_VARIABLES,
  },
];

if (require.main === module) {
  writeFileSync(path.join(__dirname, '..', 'docs', 'environment-variables.md'), variablesPage(SYSTEMS));
}
