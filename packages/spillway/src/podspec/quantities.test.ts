import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { formatQuantity, millis, nanoOf, parseQuantity, units } from './quantities.ts';

const one = 1_000_000_000n;

describe('a quantity', () => {
  test.each([
    ['0', 0n],
    ['1', one],
    ['+1', one],
    ['-2', -2n * one],
    ['500m', one / 2n],
    ['0.5', one / 2n],
    ['.5', one / 2n],
    ['5.', 5n * one],
    ['100u', 100_000n],
    ['3n', 3n],
    ['1k', 1000n * one],
    ['2M', 2_000_000n * one],
    ['1G', 10n ** 9n * one],
    ['1T', 10n ** 12n * one],
    ['1P', 10n ** 15n * one],
    ['1E', 10n ** 18n * one],
    ['1e3', 1000n * one],
    ['1E3', 1000n * one],
    ['1e-3', 1_000_000n],
    ['12e+2', 1200n * one],
    ['1Ki', 1024n * one],
    ['1.5Gi', (3n * one * 1024n ** 3n) / 2n],
    ['8Ei', (2n ** 63n - 1n) * one],
    ['007', 7n * one],
  ])('%s is read exactly', (text, nano) => {
    expect(parseQuantity(text)).toEqual({ ok: true, nano });
  });

  test.each([
    ['0.1n', 1n],
    ['-0.1n', -1n],
    ['1.0000000001', one + 1n],
  ])('finer than nano rounds away from zero: %s', (text, nano) => {
    expect(parseQuantity(text)).toEqual({ ok: true, nano });
  });

  test.each([
    '',
    ' ',
    '.',
    '-',
    '1 Gi',
    'Gi',
    '1gi',
    '1mi',
    '1e',
    '1e1e1',
    '1KiB',
    '0x10',
    'NaN',
    '1.2.3',
    '١',
    '1m\n',
  ])('%j is refused', (text) => {
    expect(parseQuantity(text)).toMatchObject({ ok: false, error: expect.stringContaining('not a quantity') });
  });

  test.each(['1e65', '1e-99999', '9e99999999999999999999'])('%s is out of range, not endless work', (text) => {
    expect(parseQuantity(text)).toMatchObject({ ok: false, error: expect.stringContaining('out of range') });
  });

  test('nothing is nothing, however large its exponent', () => {
    expect(parseQuantity('0e99999')).toEqual({ ok: true, nano: 0n });
  });

  test('numbers, as YAML may give them, are read like their text', () => {
    expect(parseQuantity(0.25)).toEqual({ ok: true, nano: one / 4n });
  });

  test.prop([fc.string({ maxLength: 300 })])('of absurd text is an error, never an exception', (text) => {
    const parsed = parseQuantity(text);
    expect(parsed.ok ? typeof parsed.nano : parsed.error.length > 0).toBeTruthy();
  });

  test.prop([fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n })])(
    'is the same after it was written and read',
    (nano) => {
      expect(nanoOf(formatQuantity(nano))).toBe(nano);
    },
  );

  test.prop([fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.constantFrom('', 'k', 'M', 'G')])(
    'with a decimal suffix is the digits times its power',
    (digits, suffix) => {
      const power = { '': 0n, k: 3n, M: 6n, G: 9n }[suffix] ?? 0n;
      expect(nanoOf(`${digits}${suffix}`)).toBe(digits * 10n ** power * one);
    },
  );

  test('counts in whole units and thousandths, rounded up', () => {
    expect([units(one + 1n), units(one), units(0n), units(-one - 1n)]).toEqual([2n, 1n, 0n, -2n]);
    expect([millis(1n), millis(one)]).toEqual([1n, 1000n]);
  });
});
