import { Command } from 'commander';
import { kubernetesAccess, processEnvironment } from '../../config/kubernetes-access.ts';
import { loadConfig } from '../../config/load.ts';
import { createLogger, type Logger } from '../../observability/logger.ts';
import { serve } from '../../serve/serve.ts';
import { exitCodes } from '../mistake.ts';
import { ownVersion } from '../own-version.ts';

/** A graceful stop takes no longer than this. */
const longestStopMs = 20_000;

/** `spillway serve --config FILE` */
export function serveCommand(): Command {
  return new Command('serve')
    .requiredOption('--config <file>', 'configuration file')
    .action(async ({ config: file }: { config: string }) => {
      const config = await loadConfig(file);
      const logger = createLogger({ level: config.observability.logLevel });
      const access = kubernetesAccess(config.kubernetes, processEnvironment());
      const version = await ownVersion();
      process.on('uncaughtExceptionMonitor', (error) =>
        logger.error({ err: error }, 'ending because of a bug in Spillway'),
      );
      logger.info({ version, config: file, pid: process.pid }, 'starting');
      await serve({ config, access, version, environment: process.env, logger }, stopSignal(logger));
      // Nothing that a library may have left open keeps the process.
      process.exit(process.exitCode ?? 0);
    });
}

/** Aborted by the first SIGTERM or SIGINT; a second one, or too long a stop, ends the process at once. */
function stopSignal(logger: Logger): AbortSignal {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(exitCodes.failure);
    logger.info({ signal }, 'stopping');
    stop.abort();
    setTimeout(() => {
      logger.error({ seconds: longestStopMs / 1000 }, 'did not stop in time; ending anyway');
      process.exit(exitCodes.failure);
    }, longestStopMs).unref();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return stop.signal;
}
