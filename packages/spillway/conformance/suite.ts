import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Cluster, E2e } from '@spillway/devcluster';
import { resultsOf, type TestResult } from './ginkgo-report.ts';
import { Progress, type TestEnd } from './progress.ts';
import type { Selection } from './selection.ts';

export interface SuiteOptions {
  readonly e2e: E2e;
  readonly cluster: Cluster;
  readonly selection: Selection;
  /** Tests at a time. */
  readonly procs: number;
  /** Folder for report and log. */
  readonly dir: string;
  readonly onTest?: (end: TestEnd) => void;
  readonly signal: AbortSignal;
}

/** Runs the tests against the cluster's schedulable nodes, from inside its network. @throws when nothing can be said of them */
export async function runSuite(options: SuiteOptions): Promise<readonly TestResult[]> {
  const { e2e, cluster, selection, procs, dir, onTest, signal } = options;
  await mkdir(dir, { recursive: true });
  const report = path.join(dir, 'report.json');
  const logFile = path.join(dir, 'log');
  const args = [
    `--procs=${procs}`,
    `--focus=${selection.focus}`,
    `--skip=${selection.skip}`,
    '--no-color',
    '-v',
    '--silence-skips',
    '--seed=1',
    '--timeout=4h',
    '--grace-period=30s',
    `--json-report=report.json`,
    `--output-dir=${dir}`,
    e2e.tests,
    '--',
    '--provider=skeleton',
    `--kubeconfig=${cluster.kubeconfig}`,
    `--kubectl-path=${cluster.kubectlPath}`,
    '--disable-log-dump',
    '--allowed-not-ready-nodes=10',
  ];
  const log = createWriteStream(logFile);
  // In a process group of its own, so that Ctrl-C reaches it through us only.
  const child = cluster.spawn(e2e.ginkgo, args, {
    cwd: dir,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // kubectl and others keep what they learn of the server in their home.
    env: { ...process.env, HOME: dir },
  });
  // Their own clean-up would take minutes, and everything goes with the cluster.
  const stop = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const progress = new Progress();
    const lines = createInterface({ input: child.stdout ?? Readable.from([]) });
    lines.on('line', (line) => {
      log.write(`${line}\n`);
      const end = progress.read(line);
      if (end !== undefined) onTest?.(end);
    });
    child.stderr?.pipe(log, { end: false });
    await once(child, 'close');
  } finally {
    signal.removeEventListener('abort', stop);
    log.end();
  }
  signal.throwIfAborted();
  try {
    return resultsOf(await readFile(report, 'utf8'));
  } catch (cause) {
    const said = (await readFile(logFile, 'utf8')).trim().slice(-2000);
    throw new Error(`the tests of Kubernetes left no report; their log is ${logFile} and ends with:\n${said}`, {
      cause,
    });
  }
}
