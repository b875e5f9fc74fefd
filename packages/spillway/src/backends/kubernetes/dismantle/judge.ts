import { type KubeObject, nameOf, uidOf } from '@spillway/kube';
import type { Owner, Remainder } from '../../backend.ts';
import { clusterOf, isOwnedBy, ownerOf } from '../pods/marks.ts';
import type { Home } from './home.ts';

/** What was found in the place of a backend's pods. */
export interface FoundHome {
  readonly namespace: KubeObject;
  readonly objects: readonly KubeObject[];
  /** UIDs of the copies among them: some lose their marks. */
  readonly copies: ReadonlySet<string>;
  /** Kinds that may be there, and could not be listed. */
  readonly unseen: readonly string[];
}

export interface Judgement {
  /** Ours, and on its way out. */
  readonly ending: readonly Remainder[];
  readonly others: readonly Remainder[];
  /** To be removed now, in this order: each waits until what is before it is gone. */
  readonly next: 'nothing' | 'prepared' | 'namespace';
  readonly prepared: readonly KubeObject[];
  /** Why the namespace stays, if it does. */
  readonly keeps?: Remainder;
}

/** What may go of a namespace in which this owner has no instance any more. */
export function judge(found: FoundHome, owner: Owner, home: Pick<Home, 'isPrepared' | 'isUsual'>): Judgement {
  const { namespace, copies, unseen } = found;
  const name = nameOf(namespace);
  const objects = found.objects.filter((object) => !home.isUsual(object));
  const isMade = clusterOf(namespace) === owner.clusterId;
  const isOurs = (object: KubeObject): boolean => copies.has(uidOf(object)) || isOwnedBy(object, owner);
  const prepared = isMade ? objects.filter((object) => home.isPrepared(object)) : [];
  const ours = objects.filter((object) => !prepared.includes(object) && isOurs(object));
  const rest = objects.filter((object) => !prepared.includes(object) && !ours.includes(object));
  const neighbours = rest.filter((object) => clusterOf(object) === owner.clusterId);
  const strangers = rest.filter((object) => !neighbours.includes(object));
  const ending = ours.map((object) => remainder(object, 'is being deleted', { ending: true }));
  const others = [...neighbours, ...strangers].map((object) => remainder(object, `belongs to ${ownerOf(object)}`));
  const whole = { kind: 'Namespace', name };

  if (!isMade) {
    const by = clusterOf(namespace) === undefined ? 'Spillway did not create it' : `belongs to ${ownerOf(namespace)}`;
    return { ending, others: [{ ...whole, why: by }], next: 'nothing', prepared };
  }
  if (unseen.length > 0) {
    const why = `it may hold objects of others: these credentials may not list ${unseen.join(', ')} in it`;
    const remedy = 'Grant that right, or look into the namespace and delete it by hand';
    return { ending, others, next: 'nothing', prepared, keeps: { ...whole, why, remedy } };
  }
  if (strangers.length > 0) {
    const why = `it holds ${count(strangers.length)} of others`;
    const remedy = 'Move or delete them, and run this again';
    return { ending, others, next: 'nothing', prepared, keeps: { ...whole, why, remedy } };
  }
  // It goes with the last virtual node.
  if (neighbours.length > 0) {
    const why = `used by ${ownerOf(neighbours[0] ?? {})}`;
    return { ending, others: [...others, { ...whole, why }], next: 'nothing', prepared };
  }
  if (ending.length > 0) return { ending, others, next: 'nothing', prepared };
  return { ending, others, next: prepared.length > 0 ? 'prepared' : 'namespace', prepared };
}

export function remainder(
  object: KubeObject,
  why: string,
  more: Partial<Pick<Remainder, 'ending' | 'remedy'>> = {},
): Remainder {
  const { namespace } = object.metadata ?? {};
  return { kind: object.kind ?? '', ...(namespace !== undefined && { namespace }), name: nameOf(object), why, ...more };
}

const count = (number: number): string => (number === 1 ? 'one object' : `${number} objects`);
