import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type Logger, systemClock } from '@spillway/kube';
import { Strangers } from '../https/strangers.ts';
import { secureContextOptions } from '../kubelet/tls.ts';
import { selfSigned } from './self-signed.ts';
import type { Report, Standings } from '../pool/standings.ts';

export interface HealthServerOptions {
  readonly standings: Standings;
  readonly logger: Logger;
}

const retryMs = 5000;

/** What a probe asks, and how the first line of the answer says no. */
const checks: Readonly<Record<string, { readonly passes: (report: Report) => boolean; readonly otherwise: string }>> = {
  '/healthz': { passes: ({ healthy }) => healthy, otherwise: 'stuck' },
  '/readyz': { passes: ({ ready }) => ready, otherwise: 'not ready' },
};

/** Answers liveness and readiness probes, also while the process stands by. Nothing secret is said, so nobody has to log in. */
export class HealthServer {
  readonly #options: HealthServerOptions;

  constructor(options: HealthServerOptions) {
    this.#options = options;
  }

  /** Resolves when `signal` is aborted and the port is closed. A port that is taken is tried again. */
  async run(port: number, signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const tls = secureContextOptions(await selfSigned('spillway'));
    while (!signal.aborted) {
      const limits = { handshakeTimeout: 5000, headersTimeout: 5000, requestTimeout: 5000, maxHeaderSize: 8 * 1024 };
      const server = createServer({ ...tls, ...limits }, (request, response) => this.#answer(request, response));
      server.maxHeadersCount = 50;
      void new Strangers(server, { perAddress: 16, inAll: 64, openMs: 10_000 });
      try {
        server.listen(port);
        await once(server, 'listening', { signal });
        logger.info({ port }, 'health checks listening');
        await once(signal, 'abort');
      } catch (error) {
        if (signal.aborted) break;
        logger.error({ err: error, port, retryInSeconds: retryMs / 1000 }, 'cannot listen for health checks');
        await systemClock.sleep(retryMs, signal);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    }
  }

  #answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    // Probes connect anew each time anyway.
    response.shouldKeepAlive = false;
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    const path = url?.split('?')[0] ?? '';
    const check = Object.hasOwn(checks, path) ? checks[path] : undefined;
    if ((method !== 'GET' && method !== 'HEAD') || check === undefined) {
      response.writeHead(404).end('not found\n');
      return;
    }
    const report = this.#options.standings.report();
    const passes = check.passes(report);
    response.writeHead(passes ? 200 : 503).end([passes ? 'ok' : check.otherwise, ...report.lines, ''].join('\n'));
  }
}
