import { errorMessage } from '@spillway/kube';
import { parseArgs } from 'node:util';
import { UsageError } from '../src/cli/mistake.ts';
import { type ContestantName, contestantNames } from './contestants/contestant.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { scenarios } from './scenarios/scenarios.ts';

export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  /** Sizes of the bursts; undefined: each scenario's own. */
  readonly pods: readonly number[] | undefined;
  readonly rounds: number;
  readonly only: readonly ContestantName[];
  /** File for the results as JSON. */
  readonly json: string | undefined;
  /** Folder for CPU profiles of Spillway. */
  readonly profile: string | undefined;
}

const width = Math.max(...scenarios.map(({ name }) => name.length));

export const usage: string = `npm run bench -- [OPTIONS]

  --scenario NAME[,NAME...]  default lifecycle; all runs every one:
${scenarios.map(({ name, about, pods }) => `      ${name.padEnd(width)}  ${about} (${pods.map((count) => count.toLocaleString('en')).join(', ')} pods)\n`).join('')}  --pods N[,N...]            numbers of pods, one after the other; default: the scenario's own
  --rounds N                 turns of each system at each size, alternating; default 3
  --only NAME[,NAME...]      ${contestantNames.join(', ')}; default all
  --json FILE                the results as JSON
  --profile FOLDER           CPU profiles of spillway serve; they cost it some speed
`;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { scenario = 'lifecycle', pods, rounds, only, json, profile } = parse(args);
  const scenarioNames = scenarios.map(({ name }) => name);
  const chosen = scenario === 'all' ? scenarioNames : known('--scenario', scenario, scenarioNames);
  return {
    scenarios: scenarios.filter(({ name }) => chosen.includes(name)),
    pods: pods?.split(',').map((text) => positive('--pods', text)),
    rounds: positive('--rounds', rounds ?? '3'),
    only: only === undefined ? contestantNames : known('--only', only, contestantNames),
    json,
    profile,
  };
}

function parse(
  args: readonly string[],
): Partial<Record<'scenario' | 'pods' | 'rounds' | 'only' | 'json' | 'profile', string>> {
  const string = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { scenario: string, pods: string, rounds: string, only: string, json: string, profile: string },
    }).values;
  } catch (error) {
    throw new UsageError(errorMessage(error));
  }
}

function known<Name extends string>(option: string, text: string, names: readonly Name[]): readonly Name[] {
  const asked = text.split(',');
  const stranger = asked.find((name) => !names.some((one) => one === name));
  if (stranger !== undefined) throw new UsageError(`${option} ${stranger}: there are ${names.join(', ')}`);
  return names.filter((name) => asked.includes(name));
}

function positive(option: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a whole number from 1 on, not "${text}"`);
}
