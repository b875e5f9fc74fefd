import { relative } from 'node:path';
import * as fc from 'fast-check';
import { expect, inject, it } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** How many times the usual number of histories is played. */
    historyFactor: number;
    /** What the histories are made from. */
    historySeed: number;
    /** Of one history of that seed, to play it alone. */
    historyPath: string;
  }
}

/** How many histories are played. */
export interface Count {
  readonly usual: number;
  readonly soak: number;
}

const factor = inject('historyFactor');
/** The long form: what takes a while is told. */
export const isSoak: boolean = factor > 1;
const seed = inject('historySeed');
const path = inject('historyPath');

/** Only what hangs is ended. */
const patienceMs = isSoak ? 24 * 3_600_000 : 600_000;
const progressEveryMs = 30_000;

/** It holds in generated histories. A failure says how to play its history again. */
export function holds<Ts>(what: string, { usual, soak }: Count, property: fc.IRawProperty<Ts>): void {
  const numRuns = isSoak ? soak : Math.ceil(usual * factor);
  it(
    `${what} (${numRuns} histories, seed ${seed})`,
    async () => {
      const startMs = Date.now();
      let played = 0;
      let toldMs = startMs;
      const counted: fc.IRawProperty<Ts> = Object.assign(Object.create(property), {
        runBeforeEach: () => {
          played += 1;
          if (Date.now() < toldMs + progressEveryMs) return;
          toldMs = Date.now();
          say(`${played} of ${numRuns} histories: ${what}; seed ${seed}`);
        },
      });
      await fc.assert(counted, {
        numRuns,
        seed,
        ...(path === '' ? {} : { path, endOnFailure: true }),
        reporter: (details) => {
          if (!details.failed) return;
          const report = `${String(fc.defaultReportMessage(details))}\n\nTo play it again:\n  `;
          const error = new Error(report + commandFor(what, details.counterexamplePath), {
            cause: details.errorInstance,
          });
          // Others may be played for an hour before it is shown.
          if (isSoak) say(`${error.message}\n${String(details.errorInstance)}`);
          throw error;
        },
      });
      if (isSoak) say(`${played} histories in ${Math.round((Date.now() - startMs) / 1000)} s: ${what}; seed ${seed}`);
    },
    patienceMs,
  );
}

function commandFor(what: string, historyPath: string | null): string {
  const file = relative(process.cwd(), expect.getState().testPath ?? '');
  const settings = `SPILLWAY_HISTORY_SEED=${seed} SPILLWAY_HISTORY_PATH=${historyPath}`;
  return `${settings} npx vitest run --project unit ${file} -t '${what}'`;
}

export function say(text: string): void {
  // oxlint-disable-next-line no-console -- whoever waits for a long run wants to know how far it is
  console.info(text);
}
