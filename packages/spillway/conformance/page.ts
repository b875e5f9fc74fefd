import { reasonOf } from './reasons.ts';
import { type TestClass, testClasses } from './classes.ts';
import { type KeptRun, missed, type Tally, tallies } from './results.ts';

const [begin, end] = ['<!-- figures: written by npm run conformance -- --write -->', '<!-- end of the figures -->'];

/** The page with the figures of these runs in place of those that it has. */
export function renderPage(runs: readonly KeptRun[], before: string, classes: ReadonlyMap<string, TestClass>): string {
  const [head, rest] = before.split(begin);
  const [, tail] = rest?.split(end) ?? [];
  if (head === undefined || tail === undefined)
    throw new Error(`docs/conformance.md has lost the lines "${begin}" and "${end}"`);
  return [head, begin, '\n\n', renderFigures(runs, classes), '\n', end, tail].join('');
}

function renderFigures(runs: readonly KeptRun[], classes: ReadonlyMap<string, TestClass>): string {
  const control = runs.find(({ target }) => target === 'control');
  if (control === undefined) throw new Error('there are no results of the control to compare with');
  const others = runs.filter(({ target }) => target !== 'control');
  return [
    runs.map(renderHead).join('\n'),
    ...others.flatMap((run) => [
      `### ${run.target}\n`,
      renderTable('what a test asks of a node', sorted(tallies(control, run, (name) => classes.get(name) ?? 'new'))),
      renderTable('group of tests', tallies(control, run)),
      renderMissed(control, run),
    ]),
    '### What the control does not pass\n',
    control.results
      .filter(({ outcome }) => outcome !== 'passed')
      .map(({ name, outcome, reason }) => `- ${name} (${outcome}): ${reasonOf('control', name) ?? cell(reason)}`)
      .join('\n'),
    '',
  ].join('\n');
}

function renderHead({ target, kubernetes, date, minutes, results }: KeptRun): string {
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  const when = date === '' ? 'before runs were kept' : `${date}, ${minutes} minutes`;
  return `- ${target}: ${passed} of ${results.length} tests of Kubernetes ${kubernetes} passed, ${when}`;
}

function sorted(rows: readonly Tally[]): readonly Tally[] {
  const order: readonly string[] = testClasses;
  const place = ({ group }: Tally): number => (order.includes(group) ? order.indexOf(group) : order.length);
  return rows.toSorted((a, b) => place(a) - place(b));
}

function renderTable(title: string, rows: readonly Tally[]): string {
  const sum = (of: (row: Tally) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const total: Tally = {
    group: '**all**',
    control: sum(({ control }) => control),
    passed: sum(({ passed }) => passed),
    refused: sum(({ refused }) => refused),
  };
  return [
    `| ${title} | control passed | passed | refused |`,
    '|---|--:|--:|--:|',
    ...[...rows, total].map(
      ({ group, control, passed, refused }) => `| ${group} | ${control} | ${passed} | ${refused} |`,
    ),
    '',
  ].join('\n');
}

function renderMissed(control: KeptRun, run: KeptRun): string {
  const rows = missed(control, run);
  if (rows.length === 0) return 'Everything that the control passes.\n';
  return [
    '| not passed | why |',
    '|---|---|',
    ...rows.map(
      ({ name, outcome, reason }) =>
        `| ${cell(name)} | ${outcome === 'refused' ? refusedFor(reason) : (reasonOf(run.target, name) ?? cell(reason))} |`,
    ),
    '',
  ].join('\n');
}

function refusedFor(codes: string): string {
  return `refused: ${codes
    .split(', ')
    .map((code) => `[${code}](not-burstable.md#${code})`)
    .join(', ')}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
