import type { BackendErrorKind } from '../backend.ts';
import { knownCodes } from './errors.ts';

const meanings: Readonly<Record<BackendErrorKind, string>> = {
  blocked: 'blocked',
  quota: 'quota',
  soldOut: 'sold out',
  unauthorized: 'no access',
  throttled: 'busy',
  unavailable: 'busy',
  notFound: 'not there',
  conflict: 'conflict',
  invalid: 'refused',
  internal: 'fault',
};

/** The table of docs/cci.md. */
export function codeTable(): string {
  const rows = Object.entries(knownCodes).map(
    ([code, { kind, says, remedy = '–' }]) => `| \`${code}\` | ${meanings[kind]} | ${says} | ${remedy} |`,
  );
  return ['| code | means | what happened | what to do |', '|---|---|---|---|', ...rows].join('\n');
}
