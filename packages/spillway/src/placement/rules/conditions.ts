import { controllerOf, type KubeObject } from '@spillway/kube';
import { burstLabelOf } from '../../podspec/contract.ts';
import { asPod } from './admitted.ts';
import type { Condition, Operation, Target } from './rules.ts';

/** An object on its way into the cluster. */
export interface Subject {
  readonly operation: Operation;
  readonly object: KubeObject;
  /** Of an UPDATE. */
  readonly oldObject?: KubeObject | undefined;
}

export function isFor({ kinds, operations }: Target, { operation, object }: Subject): boolean {
  return kinds.includes(object.kind ?? '') && operations.includes(operation);
}

export function holds(condition: Condition, { operation, object, oldObject }: Subject): boolean {
  const label = burstLabelOf(object.metadata?.labels);
  switch (condition.type) {
    case 'burst':
      return label.kind === 'valid' && condition.values.includes(label.value);
    case 'unlabelled':
      return label.kind === 'absent';
    case 'unassigned':
      return !asPod(object).spec?.nodeName;
    case 'notOfDaemonSet':
      return controllerOf(object)?.kind !== 'DaemonSet';
    case 'toleratesEverything':
      return (asPod(object).spec?.tolerations ?? []).some(
        ({ key, operator, effect }) => !key && operator === 'Exists' && (!effect || effect === 'NoSchedule'),
      );
    case 'uncontrolled':
      return controllerOf(object) === undefined;
    case 'labelChanged': {
      if (label.kind === 'invalid') return false;
      if (operation === 'CREATE') return label.kind === 'valid';
      return textOf(object) !== textOf(oldObject);
    }
    default:
      return !holds(condition.condition, { operation, object, oldObject });
  }
}

/** What the label says, whatever that is. */
function textOf(object: KubeObject | undefined): string | undefined {
  const label = burstLabelOf(object?.metadata?.labels);
  if (label.kind === 'absent') return undefined;
  return label.kind === 'valid' ? label.value : label.text;
}
