import type { ResolvedOptions } from '../options.ts';

export function podCidrsOf({ node, pool }: Pick<ResolvedOptions, 'node' | 'pool'>): string[] {
  return [node, pool].flatMap((each) => each?.podCidr ?? []);
}
