import { errorMessage } from '@spillway/kube';
import { parseArgs } from 'node:util';
import { UsageError } from '../src/cli/mistake.ts';

export const contestantNames = ['spillway', 'kwok'] as const;
export type ContestantName = (typeof contestantNames)[number];

export const scenarioNames = ['lifecycle', 'placement'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface BenchOptions {
  readonly scenario: ScenarioName;
  /** Sizes of the bursts. */
  readonly pods: readonly number[];
  readonly rounds: number;
  readonly only: readonly ContestantName[];
  /** File for the results as JSON. */
  readonly json: string | undefined;
  /** Folder for CPU profiles of Spillway. */
  readonly profile: string | undefined;
}

export const usage = `npm run bench -- [OPTIONS]

  --scenario NAME      lifecycle: pods on the node become Ready and are deleted; placement: pods are bound to it;
                       default lifecycle
  --pods N[,N...]      sizes of the bursts; default 1000,5000 (placement: 1000)
  --rounds N           bursts of each size and system, alternating; default 3
  --only NAME          spillway or kwok; default both
  --json FILE          the results as JSON
  --profile FOLDER     CPU profiles of spillway serve; they cost it some speed
`;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions {
  const values = parse(args);
  const { only, scenario = 'lifecycle' } = values;
  if (!isScenario(scenario)) {
    throw new UsageError(`--scenario ${scenario}: there are ${scenarioNames.join(' and ')}`);
  }
  if (only !== undefined && !isContestant(only)) {
    throw new UsageError(`--only ${only}: there are ${contestantNames.join(' and ')}`);
  }
  return {
    scenario,
    pods: (values.pods ?? (scenario === 'placement' ? '1000' : '1000,5000'))
      .split(',')
      .map((text) => positive('--pods', text)),
    rounds: positive('--rounds', values.rounds ?? '3'),
    only: only === undefined ? contestantNames : [only],
    json: values.json,
    profile: values.profile,
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

function positive(option: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a whole number from 1 on, not "${text}"`);
}

function isScenario(name: string): name is ScenarioName {
  return scenarioNames.some((known) => known === name);
}

function isContestant(name: string): name is ContestantName {
  return contestantNames.some((known) => known === name);
}
