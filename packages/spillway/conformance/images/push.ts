import { buildImage, type Cluster, pushImage } from '@spillway/devcluster';
import { imageOf, type Parts } from './catalogue.ts';

/** Puts every image that the tests name, and that conformance tests need, into the clusters' registries. */
export async function pushImages(
  references: readonly string[],
  parts: Parts,
  clusters: readonly Cluster[],
  signal: AbortSignal,
): Promise<void> {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  for (const registry of new Set(clusters.map((cluster) => cluster.registry))) {
    // Most images share the layer of the first.
    let first: string | undefined;
    for (const reference of references) {
      const spec = imageOf(reference, parts);
      if (spec === undefined) continue;
      signal.throwIfAborted();
      await pushImage(registry, reference, buildImage(spec, architecture), first);
      if (spec.base !== undefined) first ??= reference;
    }
  }
}
