import { currentEnvironment } from '../environment.ts';
import { DevClusterError } from '../errors.ts';
import { resolveBinaries } from './resolve.ts';

/** Path of Virtual Kubelet with its mock provider, which virtual nodes are measured against. Builds it when the cache has none. */
export async function resolveVirtualKubelet(signal?: AbortSignal): Promise<string> {
  const { 'virtual-kubelet': program } = await resolveBinaries(['virtual-kubelet'], {
    environment: currentEnvironment(),
    ...(signal ? { signal } : {}),
  });
  if (program === undefined) throw new DevClusterError('binary', 'no program of virtual-kubelet');
  return program;
}
