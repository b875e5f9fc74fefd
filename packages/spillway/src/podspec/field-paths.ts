import type { Container, Pod, ResourceFieldSelector } from '@spillway/kube';
import { ceilDivide, formatQuantity, millis, type Nano, nanoOf, parseQuantity, units } from './quantities.ts';

export type FieldValue = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly error: string };

/** Fields of the pod's metadata for the downward API: `metadata.name`, `metadata.labels`, `metadata.annotations['key']`, … */
export function metadataField(pod: Pod, fieldPath: string): FieldValue {
  const metadata = pod.metadata ?? {};
  const subscript = /^(.+?)\['(.*)'\]$/s.exec(fieldPath);
  if (subscript) {
    const [, path, key = ''] = subscript;
    if (path === 'metadata.annotations') return found(metadata.annotations?.[key] ?? '');
    if (path === 'metadata.labels') return found(metadata.labels?.[key] ?? '');
    return failed(`fieldPath "${fieldPath}" does not support subscript`);
  }
  switch (fieldPath) {
    case 'metadata.annotations':
      return found(formatMap(metadata.annotations ?? {}));
    case 'metadata.labels':
      return found(formatMap(metadata.labels ?? {}));
    case 'metadata.name':
      return found(metadata.name ?? '');
    case 'metadata.namespace':
      return found(metadata.namespace ?? '');
    case 'metadata.uid':
      return found(metadata.uid ?? '');
    default:
      return failed(`unsupported fieldPath: ${fieldPath}`);
  }
}

/** The limits that an unset limit stands for: the pod's own where it has one, else the node's allocatable. */
export function defaultLimits(
  pod: Pod,
  allocatable: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const limits = pod.spec?.resources?.limits ?? {};
  const set = Object.entries(limits).filter(([name, value]) => /^(cpu|memory)$/.test(name) && nanoOf(value) !== 0n);
  return { ...allocatable, ...Object.fromEntries(set) };
}

/**
 * A container's request or limit in multiples of the divisor, rounded up. An unset limit of cpu, memory or ephemeral
 * storage is the default limit.
 */
export function resourceField(
  selector: Pick<ResourceFieldSelector, 'resource' | 'divisor'>,
  container: Container,
  limits: Readonly<Record<string, string>>,
): FieldValue {
  const [kind = '', name = ''] = split(selector.resource);
  const standard = name === 'cpu' || name === 'memory' || name === 'ephemeral-storage';
  if ((kind !== 'limits' && kind !== 'requests') || (!standard && !name.startsWith('hugepages-'))) {
    return failed(`unsupported container resource : ${selector.resource}`);
  }
  const divisor = parseQuantity(selector.divisor ?? '0');
  if (!divisor.ok) return failed(`divisor of ${selector.resource}: ${divisor.error}`);
  let value: Nano = nanoOf(container.resources?.[kind]?.[name]);
  if (value === 0n && kind === 'limits' && standard) value = nanoOf(limits[name]);
  // The kubelet counts cpu in thousandths and everything else in whole units before it divides.
  const count = name === 'cpu' ? millis : units;
  const by = count(divisor.nano === 0n ? 1_000_000_000n : divisor.nano);
  return by <= 0n
    ? failed(`divisor ${formatQuantity(divisor.nano)} is negative`)
    : found(String(ceilDivide(count(value), by)));
}

/** The format of labels and annotations in downward API files: sorted `key="value"` lines, quoted as Go quotes. */
export function formatMap(map: Readonly<Record<string, string>>): string {
  const keys = Object.keys(map).toSorted(byCodePoint);
  return keys.map((key) => `${key}=${quote(map[key] ?? '')}`).join('\n');
}

const escapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Go's strconv.Quote: letters, marks, numbers, punctuation, symbols and the plain space stand for themselves. */
function quote(text: string): string {
  const quoted = Array.from(text, (char) => {
    const escape = escapes[char];
    if (escape !== undefined) return escape;
    if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)) return char;
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `"${quoted.join('')}"`;
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function split(resource: string): string[] {
  const dot = resource.indexOf('.');
  return dot === -1 ? [resource] : [resource.slice(0, dot), resource.slice(dot + 1)];
}

function found(value: string): FieldValue {
  return { ok: true, value };
}

function failed(error: string): FieldValue {
  return { ok: false, error };
}
