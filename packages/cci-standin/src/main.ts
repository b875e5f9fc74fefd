/**
 * The process of a region that outlives who started it: `node main.ts OPTIONS`. Ends with SIGTERM, or when its control
 * socket is asked to (`DELETE /`).
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import process from 'node:process';
import { clusterName, controlSocket, factSheet, type DetachedOptions, type RegionMessage } from './detached/facts.ts';
import { errorMessage } from './errors.ts';
import { answer } from './gateway/answer.ts';
import { startRegion, type Region } from './region.ts';

// Who starts it is of the same version, and writes exactly this.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const options = JSON.parse(process.argv[2] ?? '') as DetachedOptions;
const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());

function tell(message: RegionMessage): void {
  if (process.connected) process.send?.(message);
}

function note(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  tell({ type: 'log', line });
}

async function serveUntilStopped(region: Region, socket: string): Promise<void> {
  const gone = Promise.withResolvers<void>();
  const control = createServer((request, response) => {
    if (request.method !== 'DELETE') {
      void factSheet(region).then((facts) => answer(response, 200, facts));
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
  const socket = await controlSocket();
  const region = await startRegion({
    ...options,
    clusterName,
    log: note,
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
