import { currentEnvironment } from '../environment.ts';
import { DevClusterError } from '../errors.ts';
import { resolveBinaries } from './resolve.ts';

/** Path of Prometheus' tool that checks rules and tests them. Builds it when the cache has none. */
export async function resolvePromtool(signal?: AbortSignal): Promise<string> {
  const { promtool } = await resolveBinaries(['promtool'], {
    environment: currentEnvironment(),
    ...(signal ? { signal } : {}),
  });
  if (promtool === undefined) throw new DevClusterError('binary', 'no program of promtool');
  return promtool;
}
