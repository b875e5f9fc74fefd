import * as fc from 'fast-check';
import { describe } from 'vitest';
import type { Scenario } from '../../backends/simulated/scenario.ts';
import * as commands from '../testing/commands.ts';
import { CoreWorld, settle } from '../testing/core-world.ts';
import { holds } from '../testing/histories.ts';

/** What happens, and in which of the two. */
type Step = readonly [index: 0 | 1, command: commands.Command];

/** @param isCopy the second was made from a backup of the first: its pods have the same UIDs */
async function play(
  scenario: Scenario,
  apiLatencyMs: number,
  population: number,
  isCopy: boolean,
  steps: readonly Step[],
): Promise<void> {
  const first = new CoreWorld({}, { apiLatencyMs, clusterId: 'first', uids: isCopy ? '' : 'first-' });
  const second = new CoreWorld({}, { apiLatencyMs, clusterId: 'second', uids: isCopy ? '' : 'second-', beside: first });
  const worlds = [first, second] as const;
  for (const world of worlds) {
    world.start();
    await commands.populate(world, population, 5);
  }
  for (const world of worlds) world.backend.change(scenario);
  for (const [index, { run, advanceMs }] of steps) {
    const other = worlds[index === 0 ? 1 : 0];
    await run(worlds[index], isCopy ? undefined : other);
    if (advanceMs > 0) for (const world of worlds) await world.advance(world === first ? advanceMs : 0);
  }
  await settle(worlds);
  for (const world of worlds) await world.close();
}

const { users, apiServer, process, wrongViews, time, command } = commands;
const happenings = fc.oneof(
  time,
  ...users,
  ...apiServer,
  ...process,
  ...wrongViews,
  command(3, 'the backend lists what is of the other cluster, too', (world, other) => world.showInstancesOf(other)),
);

describe('two clusters on one backend, each with a node of the same name', () => {
  holds(
    'leave each other’s instances and pods alone, whatever either is shown',
    { usual: 250, soak: 12_000 },
    fc.asyncProperty(
      commands.scenarios,
      commands.apiLatencies,
      commands.populations,
      fc.boolean(),
      fc.array(fc.tuple(fc.constantFrom(0, 1), happenings), { maxLength: 40, size: 'max' }),
      play,
    ),
  );
});
