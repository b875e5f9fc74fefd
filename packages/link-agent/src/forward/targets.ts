import type { LinkService, ServicePort } from '../protocol/messages.ts';

/** Where a connection can go. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/** The endpoints of one port of a Service: those that are ready or, while there are none, those that are going and still answer. */
export function targetsOf({ groups }: LinkService, { name, protocol }: ServicePort): readonly Target[] {
  const ready: Target[] = [];
  const draining: Target[] = [];
  for (const { ports, endpoints } of groups) {
    const there = ports.find((each) => each.name === name && each.protocol === protocol);
    if (there === undefined) continue;
    for (const { address, draining: isDraining } of endpoints) {
      (isDraining === true ? draining : ready).push({ address, port: there.port });
    }
  }
  return ready.length > 0 ? ready : draining;
}

export const isSame = (a: Target, b: Target): boolean => a.address === b.address && a.port === b.port;

/**
 * In which order endpoints are tried for a connection: by chance, those that have just failed last. With affinity the one that was
 * used last comes first.
 *
 * @param random 0 ≤ x < 1
 */
export function inOrder(
  targets: readonly Target[],
  {
    preferred,
    failedLately,
    random,
  }: {
    readonly preferred: Target | undefined;
    readonly failedLately: (target: Target) => boolean;
    readonly random: () => number;
  },
): readonly Target[] {
  const at = Math.floor(random() * targets.length);
  const turned = [...targets.slice(at), ...targets.slice(0, at)];
  const well = turned.filter((each) => !failedLately(each));
  const others = turned.filter((each) => failedLately(each));
  const all = [...well, ...others];
  const first = preferred && well.find((each) => isSame(each, preferred));
  return first ? [first, ...all.filter((each) => each !== first)] : all;
}
