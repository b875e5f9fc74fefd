import { currentEnvironment } from '../environment.ts';
import { olderKubectls } from './catalogue.ts';
import { resolveBinaries } from './resolve.ts';

/** Paths of kubectl as users of the two minors before have it. Builds what the cache lacks. */
export async function resolveOlderKubectls(signal?: AbortSignal): Promise<readonly string[]> {
  const found = await resolveBinaries(olderKubectls, {
    environment: currentEnvironment(),
    ...(signal ? { signal } : {}),
  });
  return olderKubectls.flatMap((name) => found[name] ?? []);
}
