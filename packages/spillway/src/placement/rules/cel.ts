import {
  burstLabelCopiedAnnotation,
  burstLabels,
  burstValues,
  managedByProfileAnnotation,
  nodeTypeLabel,
  profileGate,
  profileRankAnnotation,
} from '../../podspec/contract.ts';
import { tolerationOf } from './actions.ts';
import { pointer } from './json-patch.ts';
import type { Action, Condition } from './rules.ts';
import { unranked } from './adopt-profile.ts';
import { anyVirtualNode, rankBase } from './schedule-profile.ts';

// The CEL carrier of the rules, for admission policies and match conditions. Each function writes an expression that says
// what its namesake in conditions.ts or actions.ts says. Optional types are avoided: webhooks' match conditions must
// compile on Kubernetes 1.28.

type ActionOf<T extends Action['type']> = Extract<Action, { readonly type: T }>;

export const quote = (text: string): string => JSON.stringify(text);
export const all = (expressions: readonly string[]): string => expressions.map((text) => `(${text})`).join(' && ');
export const any = (expressions: readonly string[]): string => expressions.map((text) => `(${text})`).join(' || ');
const list = (items: readonly string[]): string => `[${items.join(', ')}]`;

/** Whether the fields below `from` are there, one after another. */
function hasPath(from: string, path: readonly string[]): string {
  return path.map((_, index) => `has(${[from, ...path.slice(0, index + 1)].join('.')})`).join(' && ');
}

/** Labels are looked up in the metadata at `from`.`path`, which need not be there. */
export function labelled(from: string, path: readonly string[] = ['metadata']): string {
  const labels = [from, ...path, 'labels'].join('.');
  return `${hasPath(from, [...path, 'labels'])} && (${burstLabels.map((key) => `${quote(key)} in ${labels}`).join(' || ')})`;
}

/** No label can have this value. */
const absent = quote('-');

/** What the burst label says; `-` without one. */
export function labelText(from: string, path: readonly string[] = ['metadata']): string {
  const labels = [from, ...path, 'labels'].join('.');
  const [first, alias] = burstLabels.map((key) => ({
    has: `${quote(key)} in ${labels}`,
    value: `${labels}[${quote(key)}]`,
  }));
  if (first === undefined || alias === undefined) throw new Error('the contract has two burst labels');
  return `(!(${hasPath(from, [...path, 'labels'])}) ? ${absent} : ${first.has} ? ${first.value} : ${alias.has} ? ${alias.value} : ${absent})`;
}

const valid = list(burstValues.map(quote));
export const hasUnknownValue = (from: string, path?: readonly string[]): string =>
  `!(${labelText(from, path)} in ${list([absent, ...burstValues.map(quote)])})`;

export function conditionCel(condition: Condition): string {
  switch (condition.type) {
    case 'burst':
      return `${labelText('object')} in ${list(condition.values.map(quote))}`;
    case 'unlabelled':
      return `!(${labelled('object')})`;
    case 'unassigned':
      return `!has(object.spec.nodeName) || object.spec.nodeName == ""`;
    case 'notOfDaemonSet':
      return `!(${controlledBy('owner.kind == "DaemonSet"')})`;
    case 'toleratesEverything':
      return `has(object.spec.tolerations) && object.spec.tolerations.exists(t, (!has(t.key) || t.key == "") && has(t.operator) && t.operator == "Exists" && (!has(t.effect) || t.effect in ["", "NoSchedule"]))`;
    case 'uncontrolled':
      return `!(${controlledBy('true')})`;
    case 'labelChanged':
      return `request.operation == "CREATE" ? ${labelText('object')} in ${valid} : !(${hasUnknownValue('object')}) && ${labelText('object')} != ${labelText('oldObject')}`;
    default:
      return `!(${conditionCel(condition.condition)})`;
  }
}

const controlledBy = (test: string): string =>
  `has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(owner, has(owner.controller) && owner.controller && ${test})`;

/** A list of JSON patch operations. */
export function actionCel(action: Action): string {
  switch (action.type) {
    case 'tolerate':
      return tolerate(action);
    case 'selectNode':
      return put(['spec', 'nodeSelector'], action.key, action.value);
    case 'avoidNodes':
      return avoidNodes(action);
    case 'useScheduler':
      return when(
        'has(object.spec.schedulerName) && object.spec.schedulerName != "default-scheduler"',
        [],
        [addCel(pointer('spec', 'schedulerName'), quote(action.name))],
      );
    case 'annotate':
      return put(['metadata', 'annotations'], action.key, action.value);
    case 'outlast':
      return outlast(action);
    default:
      return copyLabel(action);
  }
}

/** The value cannot hold parts of `object`: from Kubernetes 1.37 on they are typed, and "could not marshal to JSON". */
const addCel = (path: string, value: string): string => `JSONPatch{op: "add", path: ${quote(path)}, value: ${value}}`;
const removeCel = (path: string): string => `JSONPatch{op: "remove", path: ${quote(path)}}`;
const when = (test: string, then: readonly string[], otherwise: readonly string[]): string =>
  `(${test} ? ${list(then)} : ${list(otherwise)})`;
const concat = (lists: readonly string[]): string => lists.join(' + ');

/**
 * A JSON object. Not an `Object.spec…{}` of CEL's own: Kubernetes 1.36.3 panics over a list of those as a patch's value
 * ("*structpb.Struct is not assignable to type *structpb.Value").
 */
function json(fields: Readonly<Record<string, string>>): string {
  return `{${Object.entries(fields)
    .map(([name, value]) => `${quote(name)}: dyn(${value})`)
    .join(', ')}}`;
}

function parents(path: readonly string[]): string {
  return concat(
    path.map((_, index) => {
      const upTo = path.slice(0, index + 1);
      return when(hasPath('object', upTo), [], [addCel(pointer(...upTo), '{}')]);
    }),
  );
}

function put(map: readonly string[], key: string, value: string): string {
  const there = `${hasPath('object', map)} && ${quote(key)} in ${['object', ...map].join('.')}`;
  return concat([parents(map), when(there, [], [addCel(pointer(...map, key), quote(value))])]);
}

function tolerate({ taints }: ActionOf<'tolerate'>): string {
  const path = ['spec', 'tolerations'];
  const isThere = hasPath('object', path);
  return concat([
    when(isThere, [], [addCel(pointer(...path), '[]')]),
    ...taints.map((taint) => {
      const fields = Object.entries(tolerationOf(taint)).map(([name, value]) => [name, quote(String(value))] as const);
      const same = [
        ...fields.map(([name, value]) => `has(t.${name}) && t.${name} == ${value}`),
        ...(taint.value === undefined ? ['!has(t.value) || t.value == ""'] : []),
      ];
      const there = `${isThere} && object.spec.tolerations.exists(t, ${all(same)})`;
      return when(there, [], [addCel(pointer(...path, '-'), json(Object.fromEntries(fields)))]);
    }),
  ]);
}

function avoidNodes({ key, value }: ActionOf<'avoidNodes'>): string {
  return requireCel({
    key,
    operator: 'NotIn',
    values: list([quote(value)]),
    suffices: (values) => `${quote(value)} in ${values}`,
  });
}

interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn';
  /** A list. */
  readonly values: string;
  /** Do the values of an expression for the same key, with the same operator, ask for as much? */
  readonly suffices: (values: string) => string;
}

function requireCel({ key, operator, values, suffices }: Requirement): string {
  const affinity = ['spec', 'affinity', 'nodeAffinity'];
  const required = [...affinity, 'requiredDuringSchedulingIgnoredDuringExecution'];
  const terms = [...required, 'nodeSelectorTerms'];
  const expression = json({
    key: quote(key),
    operator: quote(operator),
    values,
  });
  const every = ['object', ...terms].join('.');
  const term = `${every}[i]`;
  const hasExpressions = `has(${term}.matchExpressions) && ${term}.matchExpressions.size() > 0`;
  const hasFields = `has(${term}.matchFields) && ${term}.matchFields.size() > 0`;
  const isThere = `${term}.matchExpressions.exists(e, e.key == ${quote(key)} && e.operator == ${quote(operator)} && has(e.values) && ${suffices('e.values')})`;
  const at = (rest: string): string => `${quote(`${pointer(...terms)}/`)} + string(i) + ${quote(rest)}`;
  const perTerm = `lists.range(${every}.size()).map(i, ${hasExpressions} ? !(${isThere}) : ${hasFields}, ${hasExpressions} ? JSONPatch{op: "add", path: ${at('/matchExpressions/-')}, value: ${expression}} : JSONPatch{op: "add", path: ${at('/matchExpressions')}, value: [${expression}]})`;
  const whole = addCel(
    pointer(...required),
    json({ nodeSelectorTerms: list([json({ matchExpressions: list([expression]) })]) }),
  );
  return `(${hasPath('object', terms)} ? ${perTerm} : ${concat([parents(affinity), list([whole])])})`;
}

/** Changes what is there where it stands. */
function outlast({ keys, defaultSeconds }: ActionOf<'outlast'>): string {
  const path = ['spec', 'tolerations'];
  const isThere = hasPath('object', path);
  const tolerations = `(${isThere} ? object.spec.tolerations : [])`;
  const isDefault = all([
    `has(t.key) && t.key in ${list(keys.map(quote))}`,
    'has(t.operator) && t.operator == "Exists"',
    'has(t.effect) && t.effect == "NoExecute"',
    `has(t.tolerationSeconds) && t.tolerationSeconds == ${defaultSeconds}`,
  ]);
  const limit = `${quote(`${pointer(...path)}/`)} + string(i) + ${quote('/tolerationSeconds')}`;
  const lifted = `lists.range(${tolerations}.size()).filter(i, [${tolerations}[i]].exists(t, ${isDefault})).map(i, JSONPatch{op: "remove", path: ${limit}})`;
  const isMissing = (key: string): string =>
    `!${tolerations}.exists(t, (!has(t.key) || t.key in ["", ${quote(key)}]) && (!has(t.effect) || t.effect in ["", "NoExecute"]))`;
  return concat([
    lifted,
    when(any([isThere, `!(${any(keys.map(isMissing))})`]), [], [addCel(pointer(...path), '[]')]),
    ...keys.map((key) => {
      const unlimited = json({ key: quote(key), operator: quote('Exists'), effect: quote('NoExecute') });
      return when(isMissing(key), [addCel(pointer(...path, '-'), unlimited)], []);
    }),
  ]);
}

function copyLabel({ template }: ActionOf<'copyLabel'>): string {
  const [label] = burstLabels;
  const annotations = ['metadata', 'annotations'];
  const labels = [...template, 'metadata', 'labels'];
  const inTemplate = ['object', ...labels].join('.');
  const isCopy = all([
    `${hasPath('object', annotations)} && ${quote(burstLabelCopiedAnnotation)} in object.metadata.annotations`,
    `${hasPath('object', labels)} && ${quote(label)} in ${inTemplate} && ${inTemplate}[${quote(label)}] == object.metadata.annotations[${quote(burstLabelCopiedAnnotation)}]`,
  ]);
  const value = labelText('object');
  const write = concat([
    parents(labels),
    list([addCel(pointer(...labels, label), value)]),
    parents(annotations),
    list([addCel(pointer(...annotations, burstLabelCopiedAnnotation), value)]),
  ]);
  const takeBack = list([
    removeCel(pointer(...labels, label)),
    removeCel(pointer(...annotations, burstLabelCopiedAnnotation)),
  ]);
  const isFree = any([isCopy, `!(${labelled('object', [...template, 'metadata'])})`]);
  return `(${value} in ${valid} ? (${isFree} ? ${write} : []) : ${all([`${value} == ${absent}`, isCopy])} ? ${takeBack} : [])`;
}

const rank = `string(${rankBase} - params.spec.objectLabels.matchLabels.size()) + " " + string(params.metadata.creationTimestamp) + " " + params.metadata.name`;

/** Whether the profile that is the policy's parameter matches the pod's labels. */
export const profileMatches = `params.spec.objectLabels.matchLabels.all(k, has(object.metadata.labels) && k in object.metadata.labels && object.metadata.labels[k] == params.spec.objectLabels.matchLabels[k])`;

const decidedRank = `(has(object.metadata.annotations) && ${quote(profileRankAnnotation)} in object.metadata.annotations ? object.metadata.annotations[${quote(profileRankAnnotation)}] : "")`;
/** Whether no label and no better profile has decided. */
export const profileDecides: string = `(${labelled('object')} ? ${decidedRank} : ${quote(unranked)}) > ${rank}`;
/** Whether a profile has decided, or may. */
export const undecidedByUser: string = `!(${labelled('object')}) || ${decidedRank} != ""`;

const types = 'params.spec.virtualNodes.map(v, v.type)';
/** What `keepToTypes` in adopt-profile.ts does. */
export function keepToTypesCel(): string {
  const isDecided = `${hasPath('object', ['metadata', 'annotations'])} && ${quote(managedByProfileAnnotation)} in object.metadata.annotations && object.metadata.annotations[${quote(managedByProfileAnnotation)}] == params.metadata.name`;
  const hasTypes = `${hasPath('params.spec', ['virtualNodes'])} && size(params.spec.virtualNodes) > 0 && !(${quote(anyVirtualNode)} in ${types})`;
  const enforced = conditionCel({ type: 'burst', values: ['enforce'] });
  const write = requireCel({
    key: nodeTypeLabel,
    operator: 'In',
    values: types,
    suffices: (values) => `${values}.all(value, value in ${types})`,
  });
  return `${all([isDecided, hasTypes, enforced])} ? ${write} : []`;
}

/** What `adopt` in adopt-profile.ts does. */
export function adoptCel(): string {
  const annotations = ['metadata', 'annotations'];
  const labels = ['metadata', 'labels'];
  const others = `(has(object.spec.schedulingGates) ? object.spec.schedulingGates.filter(g, g.name != ${quote(profileGate)}).map(g, ${json({ name: 'g.name' })}) : [])`;
  const isGated = `has(object.spec.schedulingGates) && object.spec.schedulingGates.exists(g, g.name == ${quote(profileGate)})`;
  const limited = any(['local', 'cci'].map((place) => hasPath('params.spec', ['location', place, 'maxNum'])));
  const gate = json({ name: quote(profileGate) });
  return concat([
    parents(labels),
    list([addCel(pointer(...labels, burstLabels[0]), 'params.spec.strategy')]),
    parents(annotations),
    list([
      addCel(pointer(...annotations, managedByProfileAnnotation), 'params.metadata.name'),
      addCel(pointer(...annotations, profileRankAnnotation), rank),
    ]),
    `((${limited}) == (${isGated}) ? [] : [${addCel(pointer('spec', 'schedulingGates'), `${others} + ${when(limited, [gate], [])}`)}])`,
  ]);
}
