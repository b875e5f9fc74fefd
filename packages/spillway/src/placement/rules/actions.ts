import type {
  JsonPatchOperation,
  KubeObject,
  NodeSelector,
  NodeSelectorRequirement,
  ObjectMeta,
  Toleration,
} from '@spillway/kube';
import { burstLabelCopiedAnnotation, burstLabelOf, burstLabels } from '../../podspec/contract.ts';
import { asPod, at } from './admitted.ts';
import { add, pointer, remove } from './json-patch.ts';
import type { Action } from './rules.ts';

type ActionOf<T extends Action['type']> = Extract<Action, { readonly type: T }>;

/** What an action writes into an object. Nothing where it stands already, or where the user wrote something else. */
export function actionPatch(action: Action, object: KubeObject): readonly JsonPatchOperation[] {
  switch (action.type) {
    case 'tolerate':
      return tolerate(action, object);
    case 'selectNode':
      return put(object, ['spec', 'nodeSelector'], action.key, action.value);
    case 'avoidNodes':
      return keepFromNodes(object, action.key, [action.value]);
    case 'useScheduler': {
      const { schedulerName = 'default-scheduler' } = asPod(object).spec ?? {};
      return schedulerName === 'default-scheduler' ? [add(pointer('spec', 'schedulerName'), action.name)] : [];
    }
    case 'annotate':
      return put(object, ['metadata', 'annotations'], action.key, action.value);
    case 'outlast':
      return outlast(action, object);
    default:
      return copyLabel(action, object);
  }
}

function tolerate({ taints }: ActionOf<'tolerate'>, object: KubeObject): readonly JsonPatchOperation[] {
  const { tolerations } = asPod(object).spec ?? {};
  const missing = taints.map(tolerationOf).filter((wanted) => !tolerations?.some((there) => isSame(there, wanted)));
  return [
    ...(tolerations === undefined ? [add(pointer('spec', 'tolerations'), [])] : []),
    ...missing.map((toleration) => add(pointer('spec', 'tolerations', '-'), toleration)),
  ];
}

/** A toleration of exactly one taint. */
export function tolerationOf({ key, value, effect }: ActionOf<'tolerate'>['taints'][number]): Toleration {
  return value === undefined ? { key, operator: 'Exists', effect } : { key, operator: 'Equal', value, effect };
}

function isSame(a: Toleration, b: Toleration): boolean {
  return a.key === b.key && a.operator === b.operator && a.effect === b.effect && (a.value ?? '') === (b.value ?? '');
}

const requiredPath = ['spec', 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'] as const;

/** Required node affinity `key In (values)`, in every term. */
export function keepToNodes(object: KubeObject, key: string, values: readonly string[]): readonly JsonPatchOperation[] {
  const expression = { key, operator: 'In', values: [...values] };
  return requireNodes(object, expression, (those) => those.every((value) => values.includes(value)));
}

/** Required node affinity `key NotIn (values)`, in every term. */
export function keepFromNodes(
  object: KubeObject,
  key: string,
  values: readonly string[],
): readonly JsonPatchOperation[] {
  const expression = { key, operator: 'NotIn', values: [...values] };
  return requireNodes(object, expression, (those) => values.every((value) => those.includes(value)));
}

/** @param suffices do the values of an expression for the same key, with the same operator, ask for as much? */
function requireNodes(
  object: KubeObject,
  expression: Required<NodeSelectorRequirement>,
  suffices: (values: readonly string[]) => boolean,
): readonly JsonPatchOperation[] {
  const { key, operator } = expression;
  const required = at<NodeSelector>(object, requiredPath);
  if (required === undefined) {
    return [
      ...parents(object, requiredPath.slice(0, -1)),
      add(pointer(...requiredPath), { nodeSelectorTerms: [{ matchExpressions: [expression] }] }),
    ];
  }
  return required.nodeSelectorTerms.flatMap(({ matchExpressions = [], matchFields = [] }, index) => {
    const path = [...requiredPath, 'nodeSelectorTerms', index, 'matchExpressions'];
    const isThere = matchExpressions.some(
      (other) => other.key === key && other.operator === operator && suffices(other.values ?? []),
    );
    if (isThere) return [];
    if (matchExpressions.length > 0) return [add(pointer(...path, '-'), expression)];
    // A term without any requirement matches no node, and must not begin to.
    return matchFields.length > 0 ? [add(pointer(...path), [expression])] : [];
  });
}

function outlast({ keys, defaultSeconds }: ActionOf<'outlast'>, object: KubeObject): readonly JsonPatchOperation[] {
  const path = ['spec', 'tolerations'];
  const there = asPod(object).spec?.tolerations;
  const tolerations = there ?? [];
  const lifted = tolerations.flatMap(({ key, operator, effect, tolerationSeconds }, index) =>
    keys.includes(key ?? '') && operator === 'Exists' && effect === 'NoExecute' && tolerationSeconds === defaultSeconds
      ? [remove(pointer(...path, String(index), 'tolerationSeconds'))]
      : [],
  );
  const missing = keys.filter(
    (key) => !tolerations.some((one) => (!one.key || one.key === key) && (!one.effect || one.effect === 'NoExecute')),
  );
  if (missing.length === 0) return lifted;
  const unlimited = missing.map((key) => add(pointer(...path, '-'), { key, operator: 'Exists', effect: 'NoExecute' }));
  return [...lifted, ...(there === undefined ? [add(pointer(...path), [])] : []), ...unlimited];
}

/**
 * The annotation on the workload says what was copied, so that a copy is told from what the user wrote: a copy follows
 * the label and goes with it.
 */
function copyLabel({ template }: ActionOf<'copyLabel'>, object: KubeObject): readonly JsonPatchOperation[] {
  const metadata = at<ObjectMeta>(object, [...template, 'metadata']);
  const [label] = burstLabels;
  const copied = object.metadata?.annotations?.[burstLabelCopiedAnnotation];
  const isCopy = copied !== undefined && metadata?.labels?.[label] === copied;
  const wanted = burstLabelOf(object.metadata?.labels);
  const annotations = ['metadata', 'annotations'];
  const labels = [...template, 'metadata', 'labels'];
  if (wanted.kind === 'absent' && isCopy) {
    return [remove(pointer(...labels, label)), remove(pointer(...annotations, burstLabelCopiedAnnotation))];
  }
  const isFree = isCopy || burstLabelOf(metadata?.labels).kind === 'absent';
  if (wanted.kind !== 'valid' || !isFree) return [];
  return [
    ...parents(object, labels),
    add(pointer(...labels, label), wanted.value),
    ...parents(object, annotations),
    add(pointer(...annotations, burstLabelCopiedAnnotation), wanted.value),
  ];
}

/** A key of a map that may not be there yet. What the user wrote stays. */
function put(object: KubeObject, map: readonly string[], key: string, value: string): readonly JsonPatchOperation[] {
  const entries = at<Readonly<Record<string, string>>>(object, map);
  return [...parents(object, map), ...(entries?.[key] === undefined ? [add(pointer(...map, key), value)] : [])];
}

/** Makes the objects on a path that are missing. */
export function parents(object: KubeObject, path: readonly string[]): readonly JsonPatchOperation[] {
  return path.flatMap((_, index) => {
    const upTo = path.slice(0, index + 1);
    return at(object, upTo) === undefined ? [add(pointer(...upTo), {})] : [];
  });
}
