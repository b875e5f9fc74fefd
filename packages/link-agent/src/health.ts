import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** Answers probes: 200 when `ready` says so. */
export class Health {
  readonly #server: Server;

  constructor(ready: () => boolean) {
    this.#server = createServer((_request, response) => {
      response.shouldKeepAlive = false;
      response.writeHead(ready() ? 200 : 503).end();
    });
    this.#server.maxConnections = 16;
    this.#server.headersTimeout = 5000;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port);
    await once(this.#server, 'listening');
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
