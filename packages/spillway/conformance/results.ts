import type { TestResult } from './ginkgo-report.ts';
import { type TargetName, targetNames } from './options.ts';
import { sigOf } from './test-name.ts';

/** `refused`: the pod uses what the backend does not offer, and says so. */
export type Outcome = TestResult['outcome'] | 'refused';

export interface KeptResult {
  readonly name: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** Why it did not pass: the refusal's code, or what the test said. */
  readonly reason: string;
}

/** One run against one target, as the repository keeps it. */
export interface KeptRun {
  readonly target: TargetName;
  readonly kubernetes: string;
  /** Day of the run; empty: not known. */
  readonly date: string;
  readonly minutes: number;
  readonly results: readonly KeptResult[];
}

const columns = ['test', 'outcome', 'seconds', 'reason'] as const;

export function renderRun({ target, kubernetes, date, minutes, results }: KeptRun): string {
  const lines = results
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, outcome, seconds, reason }) => [name, outcome, String(seconds), reason].join('\t'));
  return [[target, kubernetes, date, String(minutes)].join('\t'), columns.join('\t'), ...lines, ''].join('\n');
}

export function parseRun(text: string): KeptRun {
  const [head = '', , ...lines] = text.trimEnd().split('\n');
  const [target = '', kubernetes = '', date = '', minutes = ''] = head.split('\t');
  const results = lines.map((line): KeptResult => {
    const [name = '', outcome = '', seconds = '', reason = ''] = line.split('\t');
    return { name, outcome: outcomeOf(outcome), seconds: Number(seconds), reason };
  });
  return { target: targetOf(target), kubernetes, date, minutes: Number(minutes), results };
}

function outcomeOf(text: string): Outcome {
  if (text === 'passed' || text === 'failed' || text === 'skipped' || text === 'refused') return text;
  throw new Error(`"${text}" is no outcome of a test`);
}

function targetOf(text: string): TargetName {
  const known = targetNames.find((each) => each === text);
  if (known === undefined) throw new Error(`"${text}" is no target of conformance tests`);
  return known;
}

/** One row of a comparison: tests of a group, or of a class. */
export interface Tally {
  readonly group: string;
  /** By the control; only these count. */
  readonly control: number;
  readonly passed: number;
  readonly refused: number;
}

/** What the control passed of each group, and how much of it the other did. */
export function tallies(control: KeptRun, other: KeptRun, groupOf: (name: string) => string = sigOf): readonly Tally[] {
  const outcomes = new Map(other.results.map(({ name, outcome }) => [name, outcome]));
  const groups = new Map<string, Outcome[]>();
  for (const { name, outcome } of control.results) {
    const theirs = outcomes.get(name);
    if (outcome !== 'passed' || theirs === undefined) continue;
    const group = groupOf(name);
    groups.set(group, [...(groups.get(group) ?? []), theirs]);
  }
  return Array.from(groups, ([group, all]) => ({
    group,
    control: all.length,
    passed: all.filter((outcome) => outcome === 'passed').length,
    refused: all.filter((outcome) => outcome === 'refused').length,
  }));
}

/** What the control passed and the other did not. */
export function missed(control: KeptRun, other: KeptRun): readonly KeptResult[] {
  const passed = new Set(control.results.filter(({ outcome }) => outcome === 'passed').map(({ name }) => name));
  return other.results.filter(({ name, outcome }) => passed.has(name) && outcome !== 'passed');
}
