import type { Category } from '../../variables';
import { agents, cache, database, security } from './data';
import { application, network, observability } from './surroundings';

export { SERVICES } from './services';
export type { ServiceName } from './services';

/** Every environment variable of Noa Server's services. */
export const VARIABLES: readonly Category[] = [application, network, database, cache, agents, security, observability];
