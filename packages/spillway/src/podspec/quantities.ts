/**
 * Kubernetes quantities, exactly: `500m`, `1Gi`, `2e3`, `0.1`. A parsed quantity is a bigint in units of 10⁻⁹ (nano), the
 * finest that the API knows; finer values round away from zero, as the API server rounds them.
 */
export type Nano = bigint;

export type ParsedQuantity =
  | { readonly ok: true; readonly nano: Nano }
  | { readonly ok: false; readonly error: string };

const syntax = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,20}))?$/;

const decimalExponent: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryExponent: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

const one = 1_000_000_000n;
const milli = 1_000_000n;
/** The API server caps binary quantities at the largest int64. */
const maxBinary = (2n ** 63n - 1n) * one;
// Beyond these nothing is a resource any more, and arithmetic on the digits would cost more than the answer is worth.
const maxLength = 128;
const maxExponent = 64;

/** Never throws: absurd input gives an error that says what was wrong. */
export function parseQuantity(text: string | number): ParsedQuantity {
  const input = String(text);
  if (input.length > maxLength) return failed(`quantity of ${input.length} characters is longer than ${maxLength}`);
  const match = syntax.exec(input);
  const [, sign, whole = '', fraction = '', suffix = '', exponentText] = match ?? [];
  if (!match || whole.length + fraction.length === 0)
    return failed(`"${input}" is not a quantity such as 500m, 2 or 1Gi`);

  const digits = BigInt(whole + fraction);
  const exponent = exponentText === undefined ? (decimalExponent[suffix] ?? 0) : Number(exponentText);
  if (digits !== 0n && Math.abs(exponent) > maxExponent) return failed(`quantity "${input}" is out of range`);
  const shift = binaryExponent[suffix];
  const scale = (digits === 0n ? 0 : exponent) - fraction.length + 9;
  const scaled = shift === undefined ? digits : digits << BigInt(shift);
  let nano = scale >= 0 ? scaled * 10n ** BigInt(scale) : ceilDivide(scaled, 10n ** BigInt(-scale));
  if (shift !== undefined && nano > maxBinary) nano = maxBinary;
  return { ok: true, nano: sign === '-' ? -nano : nano };
}

/** The parsed quantity, or 0 where there is none. For fields that the API server has validated. */
export function nanoOf(text: string | number | undefined): Nano {
  const parsed = text === undefined ? undefined : parseQuantity(text);
  return parsed?.ok ? parsed.nano : 0n;
}

/** In whole units, rounded away from zero: bytes of memory. */
export function units(nano: Nano): bigint {
  return ceilDivide(nano, one);
}

/** In thousandths, rounded away from zero: millicores. */
export function millis(nano: Nano): bigint {
  return ceilDivide(nano, milli);
}

/** Canonical enough to be read back exactly: whole units, or the coarsest decimal suffix that loses nothing. */
export function formatQuantity(nano: Nano): string {
  if (nano % one === 0n) return String(nano / one);
  if (nano % milli === 0n) return `${nano / milli}m`;
  return nano % 1000n === 0n ? `${nano / 1000n}u` : `${nano}n`;
}

/** Division that rounds away from zero; the divisor is positive. */
export function ceilDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value > 0n ? quotient + 1n : quotient - 1n;
}

function failed(error: string): ParsedQuantity {
  return { ok: false, error };
}
