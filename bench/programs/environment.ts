import * as fs from 'node:fs';
import { renderEnvironment } from '../../stacks/render';

/** Renders an environment once, as `./trellis render` does. */
void renderEnvironment(process.argv[2] ?? 'prod').then((text) => fs.writeFileSync('/dev/null', text));
