import { currentEnvironment } from '../environment.ts';
import { DevClusterError } from '../errors.ts';
import { resolveBinaries } from './resolve.ts';

/** Path of Helm, which tests use to render and install the chart. Builds it when the cache has none. */
export async function resolveHelm(signal?: AbortSignal): Promise<string> {
  const { helm } = await resolveBinaries(['helm'], {
    environment: currentEnvironment(),
    ...(signal ? { signal } : {}),
  });
  if (helm === undefined) throw new DevClusterError('binary', 'no program of Helm');
  return helm;
}
