import { loadConfig } from './config';
import { ConfigError } from './errors';
import { createLogger } from './log';
import { startService } from './service';

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLogger(config);
  const service = await startService(config, log);
  const stop = (signal: NodeJS.Signals) => {
    log.info({ signal }, 'asked to stop');
    void service.drain().then((clean) => process.exit(clean ? 0 : 1));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('uncaughtException', (err) => {
    log.fatal({ err }, 'unexpected error');
    process.exit(1);
  });
}

main().catch((error: unknown) => {
  const fatal = error instanceof ConfigError ? 'configuration' : 'start';
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${JSON.stringify({ level: 'FATAL', time: new Date().toISOString(), fatal, msg: message })}\n`);
  process.exit(error instanceof ConfigError ? ConfigError.exitCode : 1);
});
