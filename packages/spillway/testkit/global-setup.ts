import type { TestProject } from 'vitest/node';
import { prepareBurstNamespace } from './burst-namespace.ts';
import { type PairNames, startPair } from './pair.ts';
import { Testbed } from './testbed.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The clusters that all product tests share. */
    pair: PairNames;
  }
}

/** A pair of clusters for all product tests, and `spillway serve` between them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await using undo = new AsyncDisposableStack();
  const { here, there } = undo.use(await startPair());
  const kubeconfig = await prepareBurstNamespace(there);
  const remote = { kubeconfig, createNamespace: false };
  // What has no pod any more is not kept for half a minute.
  const sweep = { graceSeconds: 5 };
  const testbed = undo.use(await Testbed.create({ cluster: here, backend: 'kubernetes', remote, sweep }));
  await testbed.start();
  project.provide('pair', { here: here.name, there: there.name });
  const all = undo.move();
  return () => all.disposeAsync();
}
