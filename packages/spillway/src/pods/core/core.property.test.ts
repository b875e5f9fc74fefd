import * as fc from 'fast-check';
import { describe } from 'vitest';
import type { Scenario } from '../../backends/simulated/scenario.ts';
import * as commands from '../testing/commands.ts';
import { CoreWorld } from '../testing/core-world.ts';
import { holds } from '../testing/histories.ts';

type Played = [
  scenario: Scenario,
  apiLatencyMs: number,
  keepEndedMs: number,
  population: number,
  history: readonly commands.Command[],
];

async function play(
  steady: number,
  ...[scenario, apiLatencyMs, keepEndedMs, population, history]: Played
): Promise<void> {
  const world = new CoreWorld({}, { apiLatencyMs, keepEndedMs });
  world.start();
  await commands.populate(world, population, steady);
  world.backend.change(scenario);
  await commands.playIn(world, history);
  await world.settle();
  await world.close();
}

const { users, apiServer, process, wrongViews, time } = commands;
const settings = [commands.scenarios, commands.apiLatencies, commands.keepTimes, commands.populations] as const;

describe('the whole core, whatever happens in whatever order', () => {
  holds(
    'starts every pod once, loses no end, and leaves nothing behind',
    { usual: 500, soak: 30_000 },
    fc.asyncProperty(...settings, commands.historyOf(time, ...users, ...apiServer, ...process), (...played) =>
      play(0, ...played),
    ),
  );

  holds(
    'does all that, too, while it is shown what is not true',
    { usual: 250, soak: 20_000 },
    fc.asyncProperty(
      ...settings,
      commands.historyOf(time, ...users, ...apiServer, ...process, ...wrongViews),
      (...played) => play(5, ...played),
    ),
  );
});
