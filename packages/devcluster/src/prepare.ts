/**
 * `node prepare.ts [--control-plane-only] [--tests]`: brings the programs of clusters into the cache, so that starting a cluster
 * does not have to, and those that only tests need. Part of the repository's set-up; can be interrupted at any time and goes on where it was.
 */
import { parseArgs } from 'node:util';
import { type BinaryName, olderKubectls } from './binaries/catalogue.ts';
import { resolveBinaries, type BinaryProgress } from './binaries/resolve.ts';
import { neededBinaries } from './components/plan.ts';
import { currentEnvironment } from './environment.ts';
import { DevClusterError } from './errors.ts';
import { abilitiesOf, knownKubernetesVersion } from './kubernetes-version.ts';
import { resolveOptions } from './options.ts';

const heartbeatMs = 10_000;

const flag = { type: 'boolean', default: false } as const;
const { values } = parseArgs({ options: { 'control-plane-only': flag, tests: flag } });
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));
}

const forTests = ['promtool', 'helm'] as const;
const began = performance.now();
let names: readonly BinaryName[] = [];
let made = 0;
let current: { progress: BinaryProgress; since: number } | undefined;
const heartbeat = setInterval(() => {
  if (current) say(`${label(current.progress)}: ${current.progress.state} … ${elapsed(current.since)}`);
}, heartbeatMs);

try {
  const report = (progress: BinaryProgress): void => {
    if (progress.state === 'cached') return;
    if (progress.state === 'done') {
      say(`${label(progress)}: done after ${elapsed(current?.since ?? began)}`);
      current = undefined;
      return;
    }
    if (made === 0) say(`the cluster's programs, into ${environment.cacheDir}`);
    made += 1;
    current = { progress, since: performance.now() };
    say(`${label(progress)}: ${progress.state}, ${progress.detail}`);
  };
  const environment = currentEnvironment();
  const kubernetesVersion = knownKubernetesVersion(environment.kubernetesVersion);
  const containers = !values['control-plane-only'] && abilitiesOf(kubernetesVersion).containers;
  const cluster = neededBinaries(
    resolveOptions({ node: containers ? { metricsServer: true } : false, kubernetesVersion }),
  );
  names = [...cluster, ...(containers ? olderKubectls : []), ...(values.tests ? forTests : [])];
  await resolveBinaries(names, {
    environment,
    kubernetesVersion,
    thorough: true,
    report,
    signal: interrupted.signal,
  });
  if (made > 0) say(`the cluster's programs: complete after ${elapsed(began)}`);
} catch (error) {
  if (interrupted.signal.aborted) process.exitCode = 130;
  else if (error instanceof DevClusterError) {
    say(error.message);
    process.exitCode = 1;
  } else throw error;
} finally {
  clearInterval(heartbeat);
}

function label({ name, version }: BinaryProgress): string {
  return `${name} ${version} (${names.indexOf(name) + 1} of ${names.length})`;
}

function elapsed(since: number): string {
  const seconds = Math.round((performance.now() - since) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function say(line: string): void {
  process.stderr.write(`set-up: ${line}\n`);
}
