import type { Action, Condition, Rule } from './rules.ts';

/** An action of a rule. */
export interface Step {
  readonly rule: Rule;
  readonly action: Action;
}

/**
 * The actions in as few patches as there can be, in their order. All of one patch look at the object as it was before it,
 * so two that write the same field share one only when no object gets both. A patch costs the API server a
 * millisecond of its CPU or so for each object, also one that changes nothing.
 */
export function patchesOf(rules: readonly Rule[]): readonly (readonly Step[])[] {
  const patches: Step[][] = [];
  let current: Step[] | undefined;
  for (const rule of rules) {
    for (const action of rule.actions) {
      const step = { rule, action };
      if (current === undefined || current.some((other) => disturbs(other, step))) patches.push((current = []));
      current.push(step);
    }
  }
  return patches;
}

const disturbs = (earlier: Step, later: Step): boolean =>
  fieldOf(earlier.action) === fieldOf(later.action) && !excludes(earlier.rule, later.rule);

/** What the action reads and writes. */
function fieldOf(action: Action): string {
  switch (action.type) {
    case 'tolerate':
    case 'outlast':
      return 'tolerations';
    default:
      return action.type;
  }
}

/** No object is under both rules. */
function excludes(a: Rule, b: Rule): boolean {
  return a.when.some((one) => b.when.some((other) => contradicts(one, other) || contradicts(other, one)));
}

function contradicts(a: Condition, b: Condition): boolean {
  if (a.type !== 'burst') return false;
  return b.type === 'unlabelled' || (b.type === 'burst' && !a.values.some((value) => b.values.includes(value)));
}
