import path from 'node:path';
import type { E2e } from '@spillway/devcluster';
import { KubeClient, loadKubeconfig } from '@spillway/kube';
import type { TestResult } from './ginkgo-report.ts';
import type { Parts } from './images/catalogue.ts';
import { pushImages } from './images/push.ts';
import type { TargetName } from './options.ts';
import type { TestEnd } from './progress.ts';
import { RefusalWatch } from './refusals.ts';
import type { KeptResult } from './results.ts';
import type { Selection } from './selection.ts';
import { runSuite } from './suite.ts';
import { startTarget, type Target } from './targets.ts';

export interface RunOptions {
  readonly e2e: E2e;
  readonly parts: Parts;
  /** All images that the tests name. */
  readonly images: readonly string[];
  readonly selection: Selection;
  readonly procs: number;
  readonly log: (line: string) => void;
  readonly onTest: (end: TestEnd) => void;
  readonly signal: AbortSignal;
}

/** Starts the target, runs the tests and takes everything down again. */
export async function runTarget(name: TargetName, dir: string, options: RunOptions): Promise<readonly KeptResult[]> {
  await using target = await startTarget(name, options);
  return await testTarget(target, path.join(dir, name), options);
}

/** Against a target that is up. */
async function testTarget(target: Target, dir: string, options: RunOptions): Promise<readonly KeptResult[]> {
  const { images, parts, signal, log } = options;
  log('images of the tests, into the registry');
  await pushImages(images, parts, target.registries, signal);
  await using client = new KubeClient({ config: await loadKubeconfig({ paths: [target.cluster.kubeconfig] }) });
  await using refusals = await RefusalWatch.open(client);
  log('the tests begin');
  const results = await runSuite({ ...options, cluster: target.cluster, dir });
  return results.map((result) => kept(result, refusals.codesIn(result.namespaces)));
}

/** A test that passes in spite of a refused pod has passed. */
function kept({ name, outcome, seconds, message = '' }: TestResult, refusals: readonly string[]): KeptResult {
  if (outcome === 'failed' && refusals.length > 0) {
    return { name, outcome: 'refused', seconds, reason: refusals.join(', ') };
  }
  return { name, outcome, seconds, reason: message.slice(0, 300).replaceAll('\t', ' ') };
}
