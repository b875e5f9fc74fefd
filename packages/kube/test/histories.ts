import { inject } from 'vitest';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- an interface is what can be added to
  export interface ProvidedContext {
    historyFactor: number;
  }
}

/** How many generated histories to play: `few` in the normal run, many in the long one. */
export const histories = (few: number): { numRuns: number } => ({ numRuns: few * inject('historyFactor') });
