/**
 * `node prepare.ts`: brings Kubernetes' tests and what their images are made of into the cache, for the conformance test that is
 * part of `npm test`. Part of the repository's set-up; can be interrupted at any time and goes on where it was.
 */
import { DevClusterError } from '@spillway/devcluster';
import { prepare } from './prepared.ts';

const heartbeatMs = 10_000;
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));
}
let current: { readonly line: string; readonly since: number } | undefined;
const heartbeat = setInterval(() => {
  if (current) say(`${current.line} … ${Math.round((performance.now() - current.since) / 1000)} s`);
}, heartbeatMs);

try {
  const report = (line: string): void => {
    current = { line, since: performance.now() };
    say(line);
  };
  await prepare({ busybox: 'debian', report, signal: interrupted.signal });
} catch (error) {
  if (interrupted.signal.aborted) process.exitCode = 130;
  else {
    say(error instanceof DevClusterError ? error.message : String(error));
    process.exitCode = 1;
  }
} finally {
  clearInterval(heartbeat);
}

function say(line: string): void {
  process.stderr.write(`set-up: ${line}\n`);
}
