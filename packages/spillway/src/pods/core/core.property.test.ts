import * as fc from 'fast-check';
import { describe, inject, it } from 'vitest';
import type { Fault, Scenario } from '../../backends/simulated/scenario.ts';
import { CoreWorld, type WorkloadName } from '../testing/core-world.ts';

type Command = readonly [name: string, run: (world: CoreWorld) => void, advanceMs?: number];

const names = ['web-0', 'web-1', 'batch'] as const;
const kinds: readonly WorkloadName[] = ['forever', 'job', 'failing', 'retried'];

const command = (name: string, run: (world: CoreWorld) => void): fc.Arbitrary<Command> => fc.constant([name, run]);
const on = (what: string, run: (world: CoreWorld, name: string) => void): fc.Arbitrary<Command> =>
  fc.constantFrom(...names).map((name) => [`${what} ${name}`, (world) => run(world, name)]);

const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .constantFrom(1, 200, 1000, 3000, 20_000, 90_000)
      .map((ms): Command => [`${ms} ms pass`, () => {}, ms]),
  },
  {
    weight: 15,
    arbitrary: fc
      .tuple(fc.constantFrom(...names), fc.constantFrom(...kinds))
      .map(([name, kind]): Command => [`create ${kind} ${name}`, (world) => world.create(name, kind)]),
  },
  { weight: 6, arbitrary: on('delete', (world, name) => world.delete(name)) },
  { weight: 2, arbitrary: on('delete within 1 s', (world, name) => world.delete(name, 1)) },
  { weight: 3, arbitrary: on('force delete', (world, name) => world.delete(name, 0)) },
  {
    weight: 3,
    arbitrary: on('replace', (world, name) => {
      world.delete(name, 0);
      world.create(name);
    }),
  },
  { weight: 6, arbitrary: on('edit', (world, name) => world.edit(name, 'centos:8')) },
  { weight: 3, arbitrary: on('edit again', (world, name) => world.edit(name, 'centos:9')) },
  { weight: 2, arbitrary: on('evict', (world, name) => world.evict(name)) },
  { weight: 4, arbitrary: command('the process is killed', (world) => world.crash()) },
  { weight: 1, arbitrary: command('the process stops', (world) => world.stop()) },
  { weight: 8, arbitrary: command('the process starts', (world) => world.start()) },
  { weight: 3, arbitrary: command('the API server goes away', (world) => (world.api.away = true)) },
  { weight: 6, arbitrary: command('the API server is back', (world) => (world.api.away = false)) },
  { weight: 2, arbitrary: command('the watch of pods breaks', (world) => world.api.dropWatches()) },
  { weight: 2, arbitrary: command('the API server forgets its history', (world) => world.api.forgetHistory()) },
);

const faults: fc.Arbitrary<Fault> = fc.record({
  on: fc.constantFrom('create' as const, 'withdraw' as const, 'stop' as const, 'remove' as const, 'list' as const),
  fails: fc.constantFrom('unavailable' as const, 'throttled' as const, 'soldOut' as const, 'internal' as const),
  chance: fc.constantFrom(0.2, 0.5, 1),
  effect: fc.constantFrom('none' as const, 'done' as const, 'half' as const),
  timesPerPod: fc.constantFrom(undefined, 1, 3),
});

const scenarios: fc.Arbitrary<Scenario> = fc.record({
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
const apiLatencies = fc.constantFrom(0, 200, 2000);

/** What has ended stays for a minute, or longer than the history lasts. */
const keepTimes = fc.constantFrom(60_000, 86_400_000);

async function play(
  scenario: Scenario,
  apiLatencyMs: number,
  keepEndedMs: number,
  history: readonly Command[],
): Promise<void> {
  const world = new CoreWorld(scenario, { apiLatencyMs, keepEndedMs });
  world.start();
  await playOn(world, history);
}

async function playOn(world: CoreWorld, history: readonly Command[]): Promise<void> {
  for (const [, run, advanceMs] of history) {
    run(world);
    if (advanceMs !== undefined) await world.advance(advanceMs);
  }
  await world.settle();
  await world.close();
}

const histories = fc.array(commands, { maxLength: 40, size: 'max' });

/** What is shown is wrong for a while, as a whole and believably. */
const deceptions: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: command('the backend shows nothing', (world) => world.showNothingFor(120_000)) },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 0, max: 4 })
      .map((index): Command => [`base-${index} is said to be gone`, (world) => world.tellGone(`base-${index}`)]),
  },
  { weight: 2, arbitrary: command('another cluster answers', (world) => (world.api.elsewhere = true)) },
  { weight: 4, arbitrary: command('the right cluster answers', (world) => (world.api.elsewhere = false)) },
);

const deceivedHistories = fc.array(fc.oneof({ weight: 4, arbitrary: commands }, { weight: 1, arbitrary: deceptions }), {
  maxLength: 40,
  size: 'max',
});

/** Pods that nobody touches, more than may be lost at once, run before anything goes wrong. */
async function playDeceived(
  scenario: Scenario,
  apiLatencyMs: number,
  keepEndedMs: number,
  history: readonly Command[],
): Promise<void> {
  const world = new CoreWorld(scenario, { apiLatencyMs, keepEndedMs });
  world.backend.change({});
  world.start();
  for (let index = 0; index < 5; index += 1) world.create(`base-${index}`);
  await world.advance(30_000);
  world.backend.change(scenario);
  await playOn(world, history);
}

const parameters = { numRuns: 1000 * inject('historyFactor'), seed: inject('historySeed') };
/** Only what hangs is ended. */
const patience = 120_000 * Math.max(1, inject('historyFactor'));

describe(`the whole core, whatever happens in whatever order (seed ${parameters.seed})`, () => {
  // oxlint-disable-next-line no-console -- whoever reads the log of a failed run needs the seed
  console.info(`${1.5 * parameters.numRuns} histories of the whole core, seed ${parameters.seed}`);

  it(
    'starts every pod once, loses no end, and leaves nothing behind',
    () => fc.assert(fc.asyncProperty(scenarios, apiLatencies, keepTimes, histories, play), parameters),
    patience,
  );

  it(
    'does all that, too, while the backend shows nothing and another cluster answers',
    () =>
      fc.assert(fc.asyncProperty(scenarios, apiLatencies, keepTimes, deceivedHistories, playDeceived), {
        ...parameters,
        numRuns: parameters.numRuns / 2,
      }),
    patience,
  );
});
