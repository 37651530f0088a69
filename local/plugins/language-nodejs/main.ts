import { LanguageRuntimeService } from '@pulumi/pulumi/proto/language_grpc_pb';

import { engineAddress, onEngineGone } from '../shared/engine';
import { listen } from '../shared/listen';
import { Children } from './children';
import { languageHost } from './host';

const children = new Children();
// No program outlives its host: it would go on registering resources with nobody.
const leave = (): void => {
  children.kill();
  process.exit(0);
};
process.on('SIGINT', leave);
process.on('SIGTERM', leave);
onEngineGone(leave);
// Output that nobody reads any more: the engine is gone, and this is noticed first.
process.stdout.on('error', leave);
process.stderr.on('error', leave);
process.on('exit', () => children.kill());

void listen(LanguageRuntimeService, languageHost(children, engineAddress(process.argv.slice(2))));
