import type { ContainerdRole } from '../components/containerd.ts';
import type { ResolvedOptions } from '../options.ts';
import { podCidr, poolPodCidr } from './addressing.ts';

type Shape = Pick<ResolvedOptions, 'node' | 'pool'>;

export function podCidrOf({ pool }: Shape, role: ContainerdRole): string {
  return role === 'node' ? podCidr : (pool?.podCidr ?? poolPodCidr);
}

export function podCidrsOf({ node, pool }: Shape): string[] {
  return [...(node ? [podCidr] : []), ...(pool ? [pool.podCidr] : [])];
}
