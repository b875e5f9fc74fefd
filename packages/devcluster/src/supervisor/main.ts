/**
 * The process that holds one cluster: `node main.ts DIR`. It makes the cluster that DIR's record describes, restarts what
 * crashes, and removes everything when it is told to (SIGTERM, SIGINT, `down` on its socket) or when the process that
 * started it ends without having let go of it.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp } from '../cluster/cleanup.ts';
import { errorMessage } from '../errors.ts';
import { identify } from '../host/processes.ts';
import { readRecord, writeRecord, type ClusterRecord } from '../record.ts';
import { bringUp, type BringUp } from './bring-up.ts';
import { controlSocket, serveControl, type ControlHandler } from './control.ts';
import type { ComponentRunner } from './component-runner.ts';
import type { SupervisorMessage } from './messages.ts';

async function main(dir: string): Promise<void> {
  const found = await readRecord(dir);
  const self = await identify(process.pid);
  if (found === undefined || self === undefined) throw new Error(`${dir} holds no cluster`);
  let record: ClusterRecord = { ...found, supervisor: self };
  await writeRecord(record);

  const stop = new AbortController();
  const log = (line: string): void => {
    appendFileSync(join(dir, 'supervisor.log'), `${new Date().toISOString()} ${line}\n`);
    void tell({ type: 'log', line });
  };
  process.on('SIGTERM', () => stop.abort(new Error('told to stop by SIGTERM')));
  process.on('SIGINT', () => stop.abort(new Error('told to stop by SIGINT')));
  process.on('disconnect', () => {
    if (!record.options.keep || record.readyAt === undefined)
      stop.abort(new Error('the process that started the cluster has ended'));
  });

  let cluster: BringUp | undefined;
  const server = await serveControl(
    controlSocket(dir),
    handler(() => cluster, stop),
  );
  let failure: unknown;
  try {
    cluster = await bringUp(record, log, stop.signal);
    await cluster.ready;
    record = { ...((await readRecord(dir)) ?? record), readyAt: new Date().toISOString() };
    await writeRecord(record);
    await tell({ type: 'ready' });
    await aborted(stop.signal);
  } catch (error) {
    failure = stop.signal.aborted ? stop.signal.reason : error;
  }
  server.closeAllConnections();
  server.close();
  await remove(record, cluster, failure);
}

async function remove(record: ClusterRecord, cluster: BringUp | undefined, failure: unknown): Promise<void> {
  try {
    await Promise.all([...(cluster?.runners.values() ?? [])].map((runner) => runner.stop('SIGKILL')));
    await cleanUp(record);
  } catch (error) {
    await tell({
      type: 'failed',
      message: [failure, error]
        .filter((e) => e !== undefined)
        .map(errorMessage)
        .join('\n'),
    });
    process.exit(1);
  }
  if (failure !== undefined) await tell({ type: 'failed', message: errorMessage(failure) });
  process.exit(failure === undefined ? 0 : 1);
}

function handler(cluster: () => BringUp | undefined, stop: AbortController): ControlHandler {
  const runner = (name: string): ComponentRunner => {
    const found = [...(cluster()?.runners.values() ?? [])].find((candidate) => candidate.spec.name === name);
    if (found === undefined) throw new Error(`the cluster has no component "${name}"`);
    return found;
  };
  return {
    status: () => ({
      components: [...(cluster()?.runners.values() ?? [])].map(({ spec, state, pid }) => ({
        name: spec.name,
        phase: state.phase,
        ...(pid === undefined ? {} : { pid }),
      })),
    }),
    stop: (name, signal) => runner(name).stop(signal),
    start: (name) => runner(name).start(),
    down: () => stop.abort(new Error('told to go down')),
  };
}

/** The other side may be gone; then nobody wants to know. */
function tell(message: SupervisorMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send) process.send(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}

const [dir = ''] = process.argv.slice(2);
await main(dir);
