import { reasonOf } from './reasons.ts';
import { type TestClass, testClasses } from './classes.ts';
import { type KeptRun, missed, type Tally, tallies } from './results.ts';
import { type Language, words } from './words.ts';

const [begin, end] = ['<!-- figures: written by npm run conformance -- --write -->', '<!-- end of the figures -->'];

/** The page with the figures of these runs in place of those that it has. */
export function renderPage(
  runs: readonly KeptRun[],
  before: string,
  classes: ReadonlyMap<string, TestClass>,
  language: Language,
): string {
  const [head, rest] = before.split(begin);
  const [, tail] = rest?.split(end) ?? [];
  if (head === undefined || tail === undefined) throw new Error(`the page has lost the lines "${begin}" and "${end}"`);
  return [head, begin, '\n\n', renderFigures(runs, classes, language), '\n', end, tail].join('');
}

function renderFigures(runs: readonly KeptRun[], classes: ReadonlyMap<string, TestClass>, language: Language): string {
  const { byClass, bySig, missedByControl, colon } = words[language];
  const control = runs.find(({ target }) => target === 'control');
  if (control === undefined) throw new Error('there are no results of the control to compare with');
  const others = runs.filter(({ target }) => target !== 'control');
  return [
    runs.map((run) => renderHead(run, language)).join('\n'),
    '',
    ...others.flatMap((run) => [
      `### ${run.target}\n`,
      renderTable(byClass, sorted(tallies(control, run, (name) => classes.get(name) ?? 'new')), language),
      renderTable(bySig, tallies(control, run), language),
      renderMissed(control, run, language),
    ]),
    `### ${missedByControl}\n`,
    control.results
      .filter(({ outcome }) => outcome !== 'passed')
      .map(({ name, outcome, reason }) => {
        const why = reasonOf('control', name, language) ?? cell(reason);
        return `- ${name} (${outcome})${colon}${why}`;
      })
      .join('\n'),
    '',
  ].join('\n');
}

function renderHead(run: KeptRun, language: Language): string {
  const passed = run.results.filter(({ outcome }) => outcome === 'passed').length;
  return `- ${words[language].head(run, passed)}`;
}

function sorted(rows: readonly Tally[]): readonly Tally[] {
  const order: readonly string[] = testClasses;
  const place = ({ group }: Tally): number => (order.includes(group) ? order.indexOf(group) : order.length);
  return rows.toSorted((a, b) => place(a) - place(b));
}

function renderTable(title: string, rows: readonly Tally[], language: Language): string {
  const { counted, all } = words[language];
  const sum = (of: (row: Tally) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const total: Tally = {
    group: `**${all}**`,
    control: sum(({ control }) => control),
    passed: sum(({ passed }) => passed),
    refused: sum(({ refused }) => refused),
  };
  return [
    `| ${title} | ${counted} |`,
    '|---|--:|--:|--:|',
    ...[...rows, total].map(
      ({ group, control, passed, refused }) => `| ${group} | ${control} | ${passed} | ${refused} |`,
    ),
    '',
  ].join('\n');
}

function renderMissed(control: KeptRun, run: KeptRun, language: Language): string {
  const rows = missed(control, run);
  const { missed: heading, nothingMissed, refused, colon } = words[language];
  if (rows.length === 0) return `${nothingMissed}\n`;
  return [
    `| ${heading} |`,
    '|---|---|',
    ...rows.map(({ name, outcome, reason }) => {
      const why =
        outcome === 'refused'
          ? `${refused}${colon}${linksTo(reason)}`
          : (reasonOf(run.target, name, language) ?? cell(reason));
      return `| ${cell(name)} | ${why} |`;
    }),
    '',
  ].join('\n');
}

function linksTo(codes: string): string {
  return codes
    .split(', ')
    .map((code) => `[${code}](not-burstable.md#${code})`)
    .join(', ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
