import * as fc from 'fast-check';
import type { Fault, Scenario } from '../../backends/simulated/scenario.ts';
import type { CoreWorld, WorkloadName } from './core-world.ts';

/** One thing that happens in a history, and the time that passes then. */
export interface Command {
  /** @param other shares the backend */
  readonly run: (world: CoreWorld, other?: CoreWorld) => void | Promise<void>;
  readonly advanceMs: number;
  readonly [fc.toStringMethod]: () => string;
}

export type Weighted = fc.WeightedArbitrary<Command>;

export const commandOf = (name: string, run: Command['run'], advanceMs = 0): Command => ({
  run,
  advanceMs,
  [fc.toStringMethod]: () => name,
});

export const command = (weight: number, name: string, run: Command['run']): Weighted => ({
  weight,
  arbitrary: fc.constant(commandOf(name, run)),
});

const names = ['web-0', 'web-1', 'batch', 'base-0', 'base-1'] as const;
const kinds: readonly WorkloadName[] = ['forever', 'job', 'failing', 'retried'];

const on = (weight: number, what: string, run: (world: CoreWorld, name: string) => void | Promise<void>): Weighted => ({
  weight,
  arbitrary: fc.constantFrom(...names).map((name) => commandOf(`${what} ${name}`, (world) => run(world, name))),
});

export const time: Weighted = {
  weight: 30,
  arbitrary: fc.constantFrom(1, 200, 1000, 3000, 20_000, 90_000).map((ms) => commandOf(`${ms} ms pass`, () => {}, ms)),
};

/** Of all pods that may be touched, every `nth`. */
const everyNth = (world: CoreWorld, nth: number): string[] =>
  world.api.all
    .map(({ metadata }) => metadata?.name ?? '')
    .filter((name) => !name.startsWith('steady'))
    .filter((_, index) => index % nth === 0);

/** What people and controllers do in a cluster. */
export const users: readonly Weighted[] = [
  {
    weight: 15,
    arbitrary: fc
      .tuple(fc.constantFrom(...names), fc.constantFrom(...kinds))
      .map(([name, kind]) => commandOf(`create ${kind} ${name}`, (world) => void world.create(name, kind))),
  },
  on(6, 'delete', (world, name) => world.delete(name)),
  on(2, 'delete within 1 s', (world, name) => world.delete(name, 1)),
  on(3, 'force delete', (world, name) => world.delete(name, 0)),
  on(3, 'replace', (world, name) => {
    world.delete(name, 0);
    world.create(name);
  }),
  on(6, 'edit', (world, name) => world.edit(name, 'centos:8')),
  on(3, 'edit again', (world, name) => world.edit(name, 'centos:9')),
  on(2, 'evict', (world, name) => world.evict(name)),
  command(1, 'delete all', (world) => everyNth(world, 1).forEach((name) => world.delete(name))),
  command(1, 'force delete all', (world) => everyNth(world, 1).forEach((name) => world.delete(name, 0))),
  command(1, 'force delete every second', (world) => everyNth(world, 2).forEach((name) => world.delete(name, 0))),
];

/** What becomes of the API server, and of the connections with it. */
export const apiServer: readonly Weighted[] = [
  command(3, 'the API server goes away', (world) => void (world.api.away = true)),
  command(6, 'the API server is back', (world) => void (world.api.away = false)),
  command(2, 'the watch of pods breaks', (world) => world.api.dropWatches()),
  command(2, 'the API server forgets its history', (world) => world.api.forgetHistory()),
  command(2, 'a snapshot of etcd is made', (world) => void (world.snapshot = world.api.all)),
  command(2, 'etcd is restored from the snapshot', (world) => world.restore(world.snapshot ?? world.api.all)),
];

/** The only process of a node dies, stops, or is not given the CPU. */
export const process: readonly Weighted[] = [
  command(4, 'the process is killed', (world) => world.crash()),
  command(1, 'the process stops', (world) => world.stop()),
  command(8, 'the process starts', (world) => world.start()),
  command(1, 'the process is paused', (world) => world.leader?.pause({ forMs: 40_000, clockStops: false })),
  command(1, 'the machine is suspended', (world) => world.leader?.pause({ forMs: 40_000, clockStops: true })),
];

const faults: fc.Arbitrary<Fault> = fc.record({
  on: fc.constantFrom('create' as const, 'withdraw' as const, 'stop' as const, 'remove' as const, 'list' as const),
  fails: fc.constantFrom('unavailable' as const, 'throttled' as const, 'soldOut' as const, 'internal' as const),
  chance: fc.constantFrom(0.2, 0.5, 1),
  effect: fc.constantFrom('none' as const, 'done' as const, 'half' as const),
  timesPerPod: fc.constantFrom(undefined, 1, 3),
});

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(1_000_000),
  latency: fc.record({ all: fc.constantFrom(0, 100, { minMs: 0, maxMs: 2000 }, { medianMs: 300, p99Ms: 5000 }) }),
  startDelay: fc.constantFrom(0, 300, { minMs: 0, maxMs: 20_000 }),
  placeDelay: fc.constantFrom(0, { minMs: 0, maxMs: 40_000 }),
  faults: fc.array(faults, { maxLength: 3 }),
  lists: fc.record({ incompleteChance: fc.constantFrom(0, 0.3), lag: fc.constantFrom(0, 1500) }),
  watches: fc.record({ dropChance: fc.constantFrom(0, 0.1), loseChance: fc.constantFrom(0, 0.1) }),
  restarts: fc.constantFrom([], [{ atSeconds: 5, downSeconds: 20, everySeconds: 120 }]),
});

/** Calls of the API server that take time are answered when the world is another one already. */
export const apiLatencies: fc.Arbitrary<number> = fc.constantFrom(0, 200, 2000);

/** What has ended stays for a minute, or longer than the history lasts. */
export const keepTimes: fc.Arbitrary<number> = fc.constantFrom(60_000, 86_400_000);

/** Pods that are there before anything goes wrong. Guards against mass events matter when they are many. */
export const populations: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 4, max: 8 }) },
  { weight: 1, arbitrary: fc.integer({ min: 9, max: 60 }) },
);

export const historyOf = (...commands: readonly Weighted[]): fc.Arbitrary<readonly Command[]> =>
  fc.array(fc.oneof(...commands), { maxLength: 40, size: 'max' });

/** What is shown is wrong for a while, as a whole and believably. */
export const wrongViews: readonly Weighted[] = [
  command(8, 'the backend shows nothing', (world) => world.showNothingFor(120_000)),
  on(6, 'the backend says that it is gone:', (world, name) => world.tellGone(name)),
  command(6, 'another cluster answers', (world, other) => void (world.api.elsewhere = other?.api ?? true)),
  command(10, 'the right cluster answers', (world) => void (world.api.elsewhere = false)),
  on(3, 'somebody takes away the instance of', (world, name) => world.takeAway(name)),
  command(1, 'somebody takes away most instances', async (world) => {
    for (const [index, name] of everyNth(world, 1).entries()) if (index % 4 !== 0) await world.takeAway(name);
  }),
];

/** @param steady of pods that nobody touches: more of them than may be lost at once */
export async function populate(world: CoreWorld, population: number, steady = 0): Promise<void> {
  for (let index = 0; index < steady; index += 1) world.create(`steady-${index}`);
  for (let index = 0; index < population; index += 1) {
    world.create(`base-${index}`, index % 5 === 4 ? 'failing' : 'forever');
  }
  if (population + steady > 0) await world.advance(30_000);
}

export async function playIn(world: CoreWorld, history: readonly Command[]): Promise<void> {
  for (const { run, advanceMs } of history) {
    await run(world);
    if (advanceMs > 0) await world.advance(advanceMs);
  }
}
