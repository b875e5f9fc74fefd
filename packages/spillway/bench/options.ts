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
  /** File for the results as JSON, written after every turn. */
  readonly json: string | undefined;
  /** Files with results that are shown again; nothing is measured. */
  readonly from: readonly string[];
  /** Folder for plots of the results, as SVG. */
  readonly plots: string | undefined;
  /** Folder for CPU profiles of Spillway. */
  readonly profile: string | undefined;
}

const describe = ({ name, about, pods, unit = 'pods' }: Scenario): string =>
  `      ${name.padEnd(width)}  ${about} (${pods.map((count) => count.toLocaleString('en')).join(', ')} ${unit})\n`;

const width = Math.max(...scenarios.map(({ name }) => name.length));

export const usage: string = `npm run bench -- [OPTIONS]

  --scenario NAME[,NAME...]  default lifecycle; all runs every one:
${scenarios.map(describe).join('')}  --pods N[,N...]            numbers of pods, one after the other; default: the scenario's own
  --rounds N                 turns of each system at each size, alternating; default 3
  --only NAME[,NAME...]      ${contestantNames.join(', ')}; default all
  --json FILE                the results as JSON, after every turn
  --from FILE[,FILE...]      tables of earlier results, as --json wrote them; nothing is measured
  --plots FOLDER             plots of the results, as SVG
  --profile FOLDER           CPU profiles of spillway serve; they cost it some speed
`;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { scenario = 'lifecycle', pods, rounds, only, json, from, plots, profile } = parse(args);
  const scenarioNames = scenarios.map(({ name }) => name);
  const chosen = scenario === 'all' ? scenarioNames : known('--scenario', scenario, scenarioNames);
  return {
    scenarios: scenarios.filter(({ name }) => chosen.includes(name)),
    pods: pods?.split(',').map((text) => positive('--pods', text)),
    rounds: positive('--rounds', rounds ?? '3'),
    only: only === undefined ? contestantNames : known('--only', only, contestantNames),
    json,
    from: from?.split(',') ?? [],
    plots,
    profile,
  };
}

const string = { type: 'string' } as const;
const words = {
  scenario: string,
  pods: string,
  rounds: string,
  only: string,
  json: string,
  from: string,
  plots: string,
  profile: string,
} as const;

function parse(args: readonly string[]): Partial<Record<keyof typeof words, string>> {
  try {
    return parseArgs({ args: [...args], options: words }).values;
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
