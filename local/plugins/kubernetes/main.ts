import { serveProvider } from '../shared/serve';
import { kubernetesProvider } from './provider';

void serveProvider(kubernetesProvider());
