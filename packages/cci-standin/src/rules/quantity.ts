const suffixes: Readonly<Record<string, bigint>> = {
  k: 1000n ** 1n,
  M: 1000n ** 2n,
  G: 1000n ** 3n,
  T: 1000n ** 4n,
  P: 1000n ** 5n,
  Ki: 1024n ** 1n,
  Mi: 1024n ** 2n,
  Gi: 1024n ** 3n,
  Ti: 1024n ** 4n,
  Pi: 1024n ** 5n,
};

/** A Kubernetes quantity in thousandths, rounded up; undefined for what is none or negative. */
export function milliOf(value: unknown): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const [, whole = '', fraction = '', suffix = ''] =
    /^\+?(\d*)(?:\.(\d*))?([a-zA-Z]*|[eE][+-]?\d+)$/.exec(String(value)) ?? [];
  if (whole + fraction === '') return undefined;
  const scaled = scale(suffix);
  if (scaled === undefined) return undefined;
  const divisor = 10n ** BigInt(fraction.length) * scaled.divisor;
  const numerator = BigInt(whole + fraction) * scaled.factor;
  return (numerator + divisor - 1n) / divisor;
}

/** What a suffix makes of one, in thousandths. */
function scale(suffix: string): { factor: bigint; divisor: bigint } | undefined {
  if (suffix === '') return { factor: 1000n, divisor: 1n };
  if (suffix === 'm') return { factor: 1n, divisor: 1n };
  if (suffix === 'u') return { factor: 1n, divisor: 1000n };
  if (suffix === 'n') return { factor: 1n, divisor: 1_000_000n };
  const [, exponent] = /^[eE]([+-]?\d{1,2})$/.exec(suffix) ?? [];
  if (exponent !== undefined) {
    const power = Number(exponent);
    return power < 0
      ? { factor: 1000n, divisor: 10n ** BigInt(-power) }
      : { factor: 1000n * 10n ** BigInt(power), divisor: 1n };
  }
  const factor = suffixes[suffix];
  return factor === undefined ? undefined : { factor: factor * 1000n, divisor: 1n };
}
