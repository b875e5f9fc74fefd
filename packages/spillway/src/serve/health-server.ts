import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Logger, systemClock } from '@spillway/kube';
import type { Standings } from './standings.ts';

export interface HealthServerOptions {
  readonly standings: Standings;
  readonly logger: Logger;
}

const retryMs = 5000;

/** Answers the probes of a Deployment, also while the process stands by. Nothing secret is said, so nobody has to log in. */
export class HealthServer {
  readonly #options: HealthServerOptions;

  constructor(options: HealthServerOptions) {
    this.#options = options;
  }

  /** Resolves when `signal` is aborted and the port is closed. A port that is taken is tried again. */
  async run(port: number, signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    while (!signal.aborted) {
      const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) =>
        this.#answer(request, response),
      );
      server.maxConnections = 100;
      try {
        server.listen(port);
        await once(server, 'listening', { signal });
        logger.info({ port }, 'health check listening');
        await once(signal, 'abort');
      } catch (error) {
        if (signal.aborted) break;
        logger.error({ err: error, port, retryInSeconds: retryMs / 1000 }, 'cannot listen for the health check');
        await systemClock.sleep(retryMs, signal);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    }
  }

  #answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    if ((method !== 'GET' && method !== 'HEAD') || url?.split('?')[0] !== '/healthz') {
      response.writeHead(404).end('not found\n');
      return;
    }
    const { healthy, lines } = this.#options.standings.report();
    response.writeHead(healthy ? 200 : 503).end([healthy ? 'ok' : 'stuck', ...lines, ''].join('\n'));
  }
}
