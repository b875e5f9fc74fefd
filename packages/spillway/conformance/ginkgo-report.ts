import { shortName } from './test-name.ts';

/** What became of one test. */
export interface TestResult {
  /** {@link shortName} */
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  /** Why it did not pass. */
  readonly message?: string;
  /** Namespaces that it made. */
  readonly namespaces: readonly string[];
}

/** The part of ginkgo's JSON report that is read here. */
interface Report {
  readonly SpecReports?: readonly Spec[];
}

interface Spec {
  readonly LeafNodeType: string;
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeText: string;
  readonly State: string;
  readonly RunTime: number;
  readonly Failure?: { readonly Message?: string; readonly ForwardedPanic?: string };
  readonly SpecEvents?: readonly { readonly Message?: string }[] | null;
}

/** Tests that were run, or were to be run in a dry run; those that were left out by their names are no results. */
export function resultsOf(json: string): TestResult[] {
  const reports = JSON.parse(json) as readonly Report[];
  return reports
    .flatMap(({ SpecReports = [] }) => SpecReports)
    .filter(({ LeafNodeType, State, Failure }) => LeafNodeType === 'It' && !isLeftOut(State, Failure?.Message))
    .map(resultOf);
}

function isLeftOut(state: string, message: string | undefined): boolean {
  return state === 'pending' || (state === 'skipped' && (message ?? '') === '');
}

function resultOf(spec: Spec): TestResult {
  const { ContainerHierarchyTexts, LeafNodeText, State, RunTime, Failure, SpecEvents } = spec;
  const message = [Failure?.Message, Failure?.ForwardedPanic].filter(Boolean).join(' ').replaceAll(/\s+/g, ' ').trim();
  return {
    name: shortName([...(ContainerHierarchyTexts ?? []), LeafNodeText].join(' ')),
    outcome: State === 'passed' || State === 'skipped' ? State : 'failed',
    seconds: Math.round(RunTime / 1e8) / 10,
    ...(message === '' ? {} : { message }),
    namespaces: (SpecEvents ?? []).flatMap(({ Message = '' }) => {
      const [, namespace] = /^Destroying namespace "([^"]+)"/.exec(Message) ?? [];
      return namespace === undefined ? [] : [namespace];
    }),
  };
}
