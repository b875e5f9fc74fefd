import { pipeline } from 'node:stream/promises';
import type { ClientConnection } from './client.ts';
import type { ForwardedConnection } from './session.ts';

/**
 * Makes one connection of two: what comes out of either goes into the other. A direction that ends leaves the other one open; a
 * reset of either resets both. It is over when the far server says so, with the reason that it gives. Never rejects.
 */
export async function joinConnections(near: ForwardedConnection, far: ClientConnection): Promise<void> {
  const there = pipeline(near.readable, far.writable).catch(ignore);
  const back = pipeline(far.readable, near.writable).catch(ignore);
  const failure = await far.failure.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  await back;
  near.finish(failure);
  await there;
}

function ignore(): void {}
