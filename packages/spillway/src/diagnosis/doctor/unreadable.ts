import { errorMessage, type MissingRight, missingRightOf } from '@spillway/kube';
import type { Check, Finding } from './view.ts';

/** What was not answered, and so nothing is said about. What one user may not do is told together. */
export const checkUnreadable: Check = ({ unreadable }) => {
  const missing = Map.groupBy(unreadable, ([, error]) => missingRightOf(error)?.user);
  return [...missing].flatMap(([user, entries]) =>
    user === undefined ? entries.map(([what, error]) => unanswered(what, error)) : [notAllowed(user, entries)],
  );
};

function notAllowed(user: string, entries: readonly (readonly [string, unknown])[]): Finding {
  const rights = entries.flatMap(([, error]) => missingRightOf(error) ?? []).map(rightText);
  return {
    code: 'not-allowed-to-look',
    severity: 'warning',
    message: `not checked: ${entries.map(([what]) => what).join(', ')}; ${user} may not ${[...new Set(rights)].join(', ')}`,
    remedy: `Use credentials that may (--kubeconfig, --context), or have an administrator grant it to ${user} in all namespaces.`,
  };
}

const rightText = ({ verb, resource }: MissingRight): string => `${verb} ${resource}`;

const unanswered = (what: string, error: unknown): Finding => ({
  code: 'not-allowed-to-look',
  severity: 'warning',
  message: `not checked: ${what}; ${errorMessage(error)}`,
  remedy: 'Correct this, then run spillway doctor again.',
});
