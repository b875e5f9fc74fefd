import * as fc from 'fast-check';
import { afterAll, describe, expect } from 'vitest';
import type { Fault, Scenario } from '../../backends/simulated/scenario.ts';
import { populate } from '../testing/commands.ts';
import { CoreWorld } from '../testing/core-world.ts';
import { holds, isSoak, say } from '../testing/histories.ts';

interface Trouble {
  /** Until it is over. */
  readonly run: (world: CoreWorld) => Promise<void>;
  /** From then on, in seconds, it may take so long at most. */
  readonly withinSeconds: number;
  readonly replicas?: readonly string[];
}

/** What people do in the meantime: pods come, go, are changed and end. */
function bustle(world: CoreWorld): void {
  for (const name of ['new-0', 'new-1', 'new-2']) world.create(name);
  world.create('ends', 'failing');
  world.delete('base-0');
  world.delete('base-1', 0);
  world.edit('base-2', 'centos:8');
}

const during = (ms: number, begin: (world: CoreWorld) => void): Trouble['run'] => {
  return async (world) => {
    begin(world);
    bustle(world);
    await world.advance(ms);
  };
};

const minute = 60_000;
const usual: Scenario = { latency: { all: { medianMs: 200, p99Ms: 2000 } }, startDelay: { minMs: 500, maxMs: 5000 } };
const backendFault = (fault: Omit<Fault, 'on'>): Trouble => ({
  run: during(minute, (world) =>
    world.backend.change({ ...usual, faults: [{ on: ['create', 'stop', 'remove', 'update'], ...fault }] }),
  ),
  withinSeconds: 120,
});
const rehearsed = (scenario: Scenario): Trouble => ({
  run: during(minute, (world) => world.backend.change({ ...usual, ...scenario })),
  withinSeconds: 120,
});
const forceDelete = (world: CoreWorld, count: number): void => {
  for (let index = 0; index < count; index += 1) world.delete(`base-${index}`, 0);
};

const troubles: Readonly<Record<string, Trouble>> = {
  'nothing, pods only come and go': { run: during(0, () => {}), withinSeconds: 60 },
  'the API server is away for a minute': {
    run: during(minute, (world) => void (world.api.away = true)),
    withinSeconds: 120,
  },
  'the API server forgets what its watches have not told': {
    run: during(0, (world) => world.api.forgetHistory()),
    withinSeconds: 120,
  },
  'three pods go while nobody looks': {
    run: during(minute, (world) => {
      world.api.away = true;
      forceDelete(world, 3);
      world.api.forgetHistory();
    }),
    withinSeconds: 180,
  },
  'all pods go while nobody looks': {
    run: during(minute, (world) => {
      world.api.away = true;
      forceDelete(world, 60);
      world.api.forgetHistory();
    }),
    withinSeconds: 900,
  },
  'etcd is restored to what it was a minute ago': {
    run: async (world) => {
      const before = world.api.all;
      await during(minute, () => {})(world);
      world.restore(before);
    },
    withinSeconds: 900,
  },
  'another cluster answers for two minutes': {
    run: during(2 * minute, (world) => void (world.api.elsewhere = true)),
    withinSeconds: 120,
  },
  'the backend is away for a minute': backendFault({ fails: 'unavailable' }),
  'the backend throttles for a minute, every second call': backendFault({ fails: 'throttled', chance: 0.5 }),
  'answers of the backend are lost for a minute': backendFault({ fails: 'unavailable', effect: 'done' }),
  'instances are made by half for a minute': backendFault({ fails: 'internal', effect: 'half', chance: 0.5 }),
  'listings lack instances for a minute, and say so': rehearsed({ lists: { incompleteChance: 0.7 } }),
  'every third event of the backend’s watch is lost for a minute': rehearsed({ watches: { loseChance: 0.3 } }),
  'the backend shows nothing for two minutes': {
    run: during(2 * minute, (world) => world.showNothingFor(2 * minute)),
    withinSeconds: 120,
  },
  'the backend says of an instance that runs that it is gone': {
    run: during(0, (world) => world.tellGone('base-3')),
    withinSeconds: 120,
  },
  'somebody removes an instance at the backend': {
    run: async (world) => {
      await world.takeAway('base-3');
      bustle(world);
    },
    withinSeconds: 180,
  },
  'somebody removes most instances at the backend': {
    run: async (world) => {
      for (let index = 0; index < 60; index += 1) if (index % 4 !== 0) await world.takeAway(`base-${index}`);
      bustle(world);
    },
    withinSeconds: 900,
  },
  'the process is killed and starts again at once': {
    run: during(0, (world) => {
      world.crash();
      world.start();
    }),
    withinSeconds: 120,
  },
  'the leader of two is killed': { run: during(0, (world) => world.crash()), withinSeconds: 120, replicas: ['a', 'b'] },
  'the leader of two is not given the CPU for 30 s': {
    run: during(30_000, (world) => world.leader?.pause({ forMs: 30_000, clockStops: false })),
    withinSeconds: 120,
    replicas: ['a', 'b'],
  },
  'the leader of two is suspended for 30 s, and its clock with it': {
    run: during(30_000, (world) => world.leader?.pause({ forMs: 30_000, clockStops: true })),
    withinSeconds: 120,
    replicas: ['a', 'b'],
  },
};

const rows: string[] = [];

afterAll(() => {
  if (isSoak) say(['| what goes wrong | healed, p50, s | p99, s |', '|---|--:|--:|', ...rows].join('\n'));
});

const quantile = (sorted: readonly number[], part: number): string =>
  ((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0) / 1000).toFixed(1);

describe('from when it is over, what goes wrong alone is healed in time: nothing is left over, ends are told, statuses are true', () => {
  describe.each(Object.entries(troubles))('%s', (what, { run, withinSeconds, replicas = ['only'] }) => {
    const times: number[] = [];

    holds(
      `within ${withinSeconds} s`,
      { usual: 3, soak: 100 },
      fc.asyncProperty(fc.nat(1_000_000), fc.integer({ min: 8, max: 60 }), async (seed, population) => {
        const world = new CoreWorld({ ...usual, seed }, { apiLatencyMs: 200, replicas });
        world.start();
        await populate(world, population);
        await world.advance(seed % minute);
        await run(world);
        const healedMs = await world.settle();
        times.push(healedMs);
        expect(healedMs).toBeLessThanOrEqual(withinSeconds * 1000);
        await world.close();
      }),
    );

    afterAll(() => {
      const sorted = times.toSorted((a, b) => a - b);
      rows.push(`| ${what} | ${quantile(sorted, 0.5)} | ${quantile(sorted, 0.99)} |`);
    });
  });
});
