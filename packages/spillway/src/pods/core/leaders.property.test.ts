import * as fc from 'fast-check';
import { describe } from 'vitest';
import type { Scenario } from '../../backends/simulated/scenario.ts';
import * as commands from '../testing/commands.ts';
import type { PauseAt, Verb } from '../testing/core-process.ts';
import { CoreWorld } from '../testing/core-world.ts';
import { holds } from '../testing/histories.ts';

const { users, apiServer, time, command } = commands;

const verbs: readonly Verb[] = [
  'look',
  'create',
  'update',
  'withdraw',
  'stop',
  'remove',
  'patch',
  'delete',
  'read',
  'list',
];
const pauses: fc.Arbitrary<PauseAt> = fc.record({
  verb: fc.constantFrom(...verbs),
  when: fc.constantFrom('before' as const, 'late' as const, 'after' as const),
  forMs: fc.constantFrom(5000, 15_000, 40_000),
  clockStops: fc.boolean(),
});

/** What can happen to a leader. */
const leaders: readonly commands.Weighted[] = [
  {
    weight: 20,
    arbitrary: pauses.map((pause) =>
      commands.commandOf(`the leader is paused ${JSON.stringify(pause)}`, (world) => world.leader?.pauseAt(pause)),
    ),
  },
  command(3, 'the leader is paused', (world) => world.leader?.pause({ forMs: 15_000, clockStops: false })),
  command(3, 'the leader is suspended', (world) => world.leader?.pause({ forMs: 15_000, clockStops: true })),
  command(3, 'the leader is killed', (world) => world.crash()),
  command(2, 'the leader stops', (world) => world.stop()),
  command(3, 'the leader does not reach the API server', (world) => world.cutOffLeader()),
  command(4, 'everybody reaches the API server', (world) => world.reconnect()),
  command(6, 'those start that do not run', (world) => world.start()),
];

async function play(
  scenario: Scenario,
  apiLatencyMs: number,
  population: number,
  history: readonly commands.Command[],
): Promise<void> {
  const world = new CoreWorld({}, { apiLatencyMs, replicas: ['a', 'b'] });
  world.start();
  await commands.populate(world, population);
  world.backend.change(scenario);
  await commands.playIn(world, history);
  await world.settle();
  await world.close();
}

describe('two processes of which one leads, and changes in the middle of what it does', () => {
  holds(
    'what one has sent late undoes nothing of the other, and nobody acts who can know that another leads',
    { usual: 250, soak: 18_000 },
    fc.asyncProperty(
      commands.scenarios,
      commands.apiLatencies,
      commands.populations,
      commands.historyOf(time, ...users, ...apiServer, ...leaders),
      play,
    ),
  );
});
