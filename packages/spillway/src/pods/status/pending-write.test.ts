import { describe, expect, it } from 'vitest';
import { answered, type PendingWrite, sent, turnAtMs, wanted, type WriteResult } from './pending-write.ts';

/** A status: `what` it tells, and how new it is. */
interface Told {
  readonly what: 'running' | 'ended';
  readonly serial: number;
}

const isSame = (a: Told, b: Told): boolean => a.what === b.what;

/** A pod, who wants to tell its statuses, the writer's queue, and the API server. Plain, so that worlds can be compared. */
interface World {
  readonly now: number;
  /** How many statuses were wanted so far. */
  readonly serial: number;
  readonly newest: Told | undefined;
  readonly written: Told | undefined;
  readonly pending: PendingWrite<Told> | undefined;
  /** When the queue gives the pod to a worker; undefined: it does not have it. */
  readonly queued: number | undefined;
  /** As long as a worker has the pod, the queue keeps it from others. */
  readonly atWork: boolean;
  readonly isGone: boolean;
}

const start: World = {
  now: 0,
  serial: 0,
  newest: undefined,
  written: undefined,
  pending: undefined,
  queued: undefined,
  atWork: false,
  isGone: false,
};

/** As the writer does with every new state: what is not sent gets its turn in the queue. */
function keep(world: World, pending: PendingWrite<Told> | undefined): World {
  if (pending === undefined) return { ...world, pending };
  const atMs = turnAtMs(pending, world.now);
  const queued = Math.min(world.queued ?? Infinity, atMs);
  return { ...world, pending, queued: Number.isFinite(queued) ? queued : undefined };
}

const want =
  (what: Told['what']) =>
  (world: World): World | undefined => {
    if (world.serial === 3 || world.isGone) return undefined;
    const newest = { what, serial: world.serial + 1 };
    return keep({ ...world, newest, serial: newest.serial }, wanted(world.pending, newest, isSame));
  };

function takeTurn(world: World): World | undefined {
  if (world.queued === undefined || world.queued > world.now || world.atWork) return undefined;
  const taken = { ...world, queued: undefined };
  const write = sent(world.pending, world.now);
  return write ? { ...taken, pending: write, atWork: true } : keep(taken, world.pending);
}

const answer =
  (kind: WriteResult['kind']) =>
  (world: World): World | undefined => {
    const { pending, now, atWork } = world;
    if (!atWork) return undefined;
    const free = { ...world, atWork: false };
    // Nobody waits for it any more.
    if (pending?.kind !== 'sent') return free;
    const result: WriteResult = kind === 'refused' || kind === 'failed' ? { kind, untilMs: now + 2 } : { kind };
    const written = kind === 'written' ? pending.sent : world.written;
    return keep({ ...free, written, isGone: kind === 'gone' }, answered(pending, result, isSame));
  };

const pass = (world: World): World | undefined => (world.now < 6 ? { ...world, now: world.now + 1 } : undefined);
const end = (world: World): World | undefined =>
  world.isGone ? undefined : { ...world, pending: undefined, isGone: true };

const steps = {
  'running is to be told': want('running'),
  'the end is to be told': want('ended'),
  'a worker is free': takeTurn,
  'the API server takes it': answer('written'),
  'it is refused': answer('refused'),
  'the API server is away': answer('failed'),
  'the pod is gone': answer('gone'),
  'time passes': pass,
  'the pod is forgotten': end,
} satisfies Readonly<Record<string, (world: World) => World | undefined>>;

/** Each world that can be reached in any order of the steps, with a shortest way to it. */
function everyWorld(): Map<string, { readonly world: World; readonly way: readonly string[] }> {
  const first = { world: start, way: [] };
  const found = new Map<string, { readonly world: World; readonly way: readonly string[] }>([
    [JSON.stringify(start), first],
  ]);
  const open: { readonly world: World; readonly way: readonly string[] }[] = [first];
  for (const { world, way } of open) {
    for (const [name, step] of Object.entries(steps)) {
      const next = step(world);
      const key = next && JSON.stringify(next);
      if (next === undefined || key === undefined || found.has(key)) continue;
      const entry = { world: next, way: [...way, name] };
      found.set(key, entry);
      open.push(entry);
    }
  }
  return found;
}

const worlds = [...everyWorld().values()];
const onTheWayTo = (isWrong: (world: World) => boolean): readonly string[] | undefined =>
  worlds.find(({ world }) => isWrong(world))?.way;

/** From now on all goes well. */
function settled(world: World): World {
  let now = world;
  for (let round = 0; round < 20; round += 1) {
    now = answer('written')(now) ?? takeTurn(now) ?? { ...now, now: now.now + 1 };
  }
  return now;
}

const isStranded = ({ pending, queued, atWork }: World): boolean =>
  pending !== undefined && queued === undefined && !atWork;

const waitsForNothing = ({ pending, newest, now }: World): boolean =>
  pending?.kind === 'resting' &&
  newest?.what === 'ended' &&
  pending.refused?.what === 'running' &&
  turnAtMs(pending, now) > now;

const isHasty = (world: World): boolean =>
  world.pending?.kind === 'resting' && world.pending.untilMs > world.now && takeTurn(world)?.atWork === true;

describe('in whatever order statuses come, are sent, taken, refused, fail and are tried again', () => {
  it('is looked at completely', () => {
    expect(worlds.length).toBeGreaterThan(2000);
  });

  it('the newest is written in the end', () => {
    expect(
      onTheWayTo((world) => !world.isGone && settled(world).written?.serial !== world.newest?.serial),
    ).toBeUndefined();
  });

  it('what is to be written has its turn, or is on its way', () => {
    expect(onTheWayTo(isStranded)).toBeUndefined();
  });

  it('an end that comes after a refusal of something else waits for nothing', () => {
    expect(onTheWayTo(waitsForNothing)).toBeUndefined();
  });

  it('what the API server did not take is not sent again before its time', () => {
    expect(onTheWayTo(isHasty)).toBeUndefined();
  });

  it('nothing older is written after something newer', () => {
    const goesBack = worlds.find(({ world }) =>
      Object.values(steps).some((step) => (step(world)?.written?.serial ?? Infinity) < (world.written?.serial ?? 0)),
    );
    expect(goesBack?.way).toBeUndefined();
  });
});
