import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

export interface StreamTimeouts {
  readonly idleTimeoutMs?: number;
  readonly creationTimeoutMs?: number;
}

/** What was checked and can be served as soon as the client's connection is upgraded. */
export interface PreparedUpgrade {
  /**
   * Resolves when it is over and the client knows how.
   *
   * @throws {Problem} while the client can still be answered instead
   */
  run(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}
