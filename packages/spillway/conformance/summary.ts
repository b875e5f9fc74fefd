import { type KeptRun, missed, tallies } from './results.ts';

/** For people, after a run. Without a control there is nothing to compare with. */
export function renderSummary(runs: readonly KeptRun[], control: KeptRun | undefined): string {
  return runs
    .map((run) => {
      const failed = run.results.filter(({ outcome }) => outcome !== 'passed');
      const passed = run.results.length - failed.length;
      const shown = control === undefined || run.target === 'control' ? failed : missed(control, run);
      const compared =
        control === undefined || run.target === 'control'
          ? []
          : tallies(control, run).map(
              ({ group, control: of, passed: some, refused }) =>
                `  ${group.padEnd(18)} ${String(some).padStart(4)} of ${String(of).padStart(4)}${refused > 0 ? `, ${refused} refused` : ''}`,
            );
      return [
        `${run.target}: ${passed} of ${run.results.length} tests passed in ${run.minutes} min`,
        ...(compared.length > 0 ? ['  of what the control passes:', ...compared] : []),
        ...shown.map(({ name, outcome, reason }) => `  ${outcome}: ${name}\n    ${reason}`),
        '',
      ].join('\n');
    })
    .join('\n');
}
