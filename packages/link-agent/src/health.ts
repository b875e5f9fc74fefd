import { once } from 'node:events';
import type { Server } from 'node:http';

// An import would load all that the module can give, such as fetch.
const { createServer } = process.getBuiltinModule('node:http');

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
