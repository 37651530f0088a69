import { serveProvider } from '../shared/serve';
import { randomProvider } from './provider';

void serveProvider(randomProvider);
