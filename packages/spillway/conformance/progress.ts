import { shortName } from './test-name.ts';

/** That a test has ended, as ginkgo's output for people tells it at once. */
export interface TestEnd {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
}

const state = /^(•|S)(?: \[([A-Z]+)\])?(?: \[[^\]]*\])*? \[(\d+(?:\.\d+)?) seconds\]$/;

/** Reads the output of `ginkgo -v --no-color`, line by line. */
export class Progress {
  #end: Omit<TestEnd, 'name'> | undefined;

  /** What this line tells, if it ends the news of a test: its state is on one line, its name, with labels behind it, on the next. */
  read(line: string): TestEnd | undefined {
    const end = this.#end;
    this.#end = undefined;
    if (end !== undefined && line.startsWith('[sig-')) {
      return { ...end, name: shortName(line.replace(/ \[[^\]]*, [^\]]*\]$/, '')) };
    }
    const [, mark, word, seconds] = state.exec(line) ?? [];
    if (mark === undefined) return undefined;
    const outcome = mark === 'S' ? 'skipped' : word === undefined ? 'passed' : 'failed';
    this.#end = { outcome, seconds: Number(seconds) };
    return undefined;
  }
}
