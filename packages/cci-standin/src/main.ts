/**
 * The process of a region that outlives who started it: `node main.ts [HOST]`. Ends with SIGTERM, or when its control
 * socket is asked to (`DELETE /`).
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import process from 'node:process';
import { controlSocket, factSheet, stateFolder, type RegionMessage } from './detached/facts.ts';
import { errorMessage } from './errors.ts';
import { answer } from './gateway/answer.ts';
import { startRegion, type Region } from './region.ts';

const [host] = process.argv.slice(2);
const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());

function tell(message: RegionMessage): void {
  if (process.connected) process.send?.(message);
}

async function serveUntilStopped(region: Region, socket: string): Promise<void> {
  const gone = Promise.withResolvers<void>();
  const control = createServer((request, response) => {
    if (request.method !== 'DELETE') {
      answer(response, 200, factSheet(region));
      return;
    }
    stop.abort();
    void gone.promise.then(() => answer(response, 200, {}));
  });
  await rm(socket, { force: true });
  control.listen(socket);
  await once(control, 'listening');
  tell({ type: 'ready' });
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  await region.close();
  gone.resolve();
  control.close();
}

try {
  const socket = controlSocket(await stateFolder());
  const region = await startRegion({
    clusterName: 'cci-region',
    ...(host === undefined ? {} : { host }),
    log: (line) => tell({ type: 'log', line }),
    signal: stop.signal,
  });
  try {
    await serveUntilStopped(region, socket);
  } finally {
    await region.close();
  }
} catch (error) {
  tell({ type: 'failed', message: errorMessage(error) });
  process.exitCode = 1;
}
