import { serveProvider } from '../shared/serve';
import { dockerProvider } from './provider';

void serveProvider(dockerProvider());
