import type { Pod } from '@spillway/kube';
import { isRecord } from '../plain.ts';
import { type Refusal, refusal } from '../review/refusal.ts';
import type { RefusalCode } from '../review/rules.ts';

/**
 * What becomes of a field of a pod's spec on its way to the other cluster. There is a rule for each field, so that a field
 * that nobody has thought of is refused and not lost.
 */
export type Rule =
  /** As it is. */
  | { readonly kind: 'passed' }
  /** Left out: it says something to the cluster that the pod comes from, or nothing to the other one. */
  | { readonly kind: 'dropped'; readonly unless?: Exception }
  /** Written anew by `translate`, with everything below it. */
  | { readonly kind: 'adapted' }
  /** The pod cannot run, unless the field is false or empty. */
  | { readonly kind: 'refused'; readonly code: RefusalCode }
  /** Passed, unless `when` says that the pod cannot run with this value. */
  | ({ readonly kind: 'checked' } & Exception);

/** With some values of a field the pod cannot run. */
interface Exception {
  readonly code: RefusalCode;
  readonly when: (value: unknown) => boolean;
}

/** Rules by field; a list has the rules of its elements. `*` is the rule of all others. */
export type FieldTable = { readonly [field: string]: FieldRules };
export type FieldRules = Rule | { readonly fields: FieldTable };

export const passed: Rule = { kind: 'passed' };
export const dropped: Rule = { kind: 'dropped' };
export const adapted: Rule = { kind: 'adapted' };

export function refused(code: RefusalCode): Rule {
  return { kind: 'refused', code };
}

export function droppedUnless(code: RefusalCode, when: (value: unknown) => boolean): Rule {
  return { kind: 'dropped', unless: { code, when } };
}

export function checked(code: RefusalCode, when: (value: unknown) => boolean): Rule {
  return { kind: 'checked', code, when };
}

/** A table like another, but for some rows, by path: `containers.livenessProbe.tcpSocket`. */
export function withRows(table: FieldTable, rows: Readonly<Record<string, Rule>>): FieldTable {
  let changed = table;
  for (const [path, rule] of Object.entries(rows)) changed = withRow(changed, path.split('.'), rule);
  return changed;
}

/** Every rule with the path of its field, as the documents show them: `containers[].image` is `containers.image` here. */
export function rowsOf(table: FieldTable, prefix = ''): { readonly path: string; readonly rule: Rule }[] {
  return Object.entries(table).flatMap(([field, rules]) =>
    'fields' in rules ? rowsOf(rules.fields, `${prefix}${field}.`) : [{ path: prefix + field, rule: rules }],
  );
}

/** The part of a value that passes. */
export function passedPart(value: unknown, table: FieldTable): unknown {
  if (Array.isArray(value)) return value.map((each) => passedPart(each, table));
  if (!isRecord(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(value)) {
    const rules = ruleOf(table, field);
    if (rules === undefined) continue;
    if ('fields' in rules) kept[field] = passedPart(inner, rules.fields);
    else if (rules.kind === 'passed' || rules.kind === 'checked') kept[field] = inner;
  }
  return kept;
}

/** Fields of the pod that the backend cannot do. A pod is refused rather than run otherwise than it was written. */
export function fieldRefusals({ spec }: Pod, table: FieldTable): readonly Refusal[] {
  return refusals(spec, table, 'spec');
}

function refusals(value: unknown, table: FieldTable, path: string): Refusal[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => refusals(each, table, `${path}[${index}]`));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([field, inner]) => {
    const rules = ruleOf(table, field);
    const at = `${path}.${field}`;
    if (rules === undefined) return isEmpty(inner) ? [] : [refusal('field-unsupported', at)];
    if ('fields' in rules) return refusals(inner, rules.fields, at);
    if (rules.kind === 'refused') return isEmpty(inner) ? [] : [refusal(rules.code, at)];
    const exception = rules.kind === 'checked' ? rules : rules.kind === 'dropped' ? rules.unless : undefined;
    return exception?.when(inner) === true ? [refusal(exception.code, at)] : [];
  });
}

function ruleOf(table: FieldTable, field: string): FieldRules | undefined {
  return Object.hasOwn(table, field) ? table[field] : table['*'];
}

/** `{}` is a value: an empty hostPath is still a hostPath. */
function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === false ||
    value === '' ||
    (Array.isArray(value) && value.length === 0)
  );
}

function withRow(table: FieldTable, [field = '', ...rest]: readonly string[], rule: Rule): FieldTable {
  if (rest.length === 0) return { ...table, [field]: rule };
  const inner = ruleOf(table, field);
  return { ...table, [field]: { fields: withRow(inner && 'fields' in inner ? inner.fields : {}, rest, rule) } };
}
