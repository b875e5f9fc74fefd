import { describe, expect, test } from 'vitest';
import { isSignedBy, isTimely, readClaim, signatureOf, type SignedRequest } from './signature.ts';

const date = '20060102T150405Z';
const get: SignedRequest = {
  method: 'GET',
  target: '/path?limit=1',
  headers: { 'x-sdk-date': date, test_underscore: 'TEST_VALUE' },
  body: new Uint8Array(),
};
const post: SignedRequest = {
  method: 'POST',
  target: '/path?key=value',
  headers: { ...get.headers, 'content-type': 'application/json' },
  body: Buffer.from('{"Name":"test","Id":1}'),
};

describe("the vendor's vectors", () => {
  test('GET', () => {
    expect(signatureOf('SecretKey', ['test_underscore', 'x-sdk-date'], get)).toBe(
      'daeadcf4a306599f7422401cc55d3718a23ef159fed370c62c551a2c45ae9655',
    );
  });
  test('POST with a body', () => {
    expect(signatureOf('SecretKey', ['content-type', 'test_underscore', 'x-sdk-date'], post)).toBe(
      '0238c3bedddfe8bf113c7530f783322380dedf720d514861623cfe5f73aa8f64',
    );
  });
});

const names = ['content-type', 'test_underscore', 'x-sdk-date'];
const claimOf = (request: SignedRequest, signed = names) => ({
  accessKey: 'AccessKey',
  signedHeaders: signed,
  signature: signatureOf('SecretKey', signed, request),
});

test('a signature holds for the request that was signed and for no other', () => {
  const claim = claimOf(post);
  expect(isSignedBy('SecretKey', claim, post)).toBe(true);
  expect(isSignedBy('OtherKey', claim, post)).toBe(false);
  for (const changed of [
    { ...post, method: 'PUT' },
    { ...post, target: '/path?key=other' },
    { ...post, target: '/other?key=value' },
    { ...post, body: Buffer.from('{}') },
    { ...post, headers: { ...post.headers, test_underscore: 'OTHER' } },
  ]) {
    expect(isSignedBy('SecretKey', claim, changed)).toBe(false);
  }
});

test('the date has to be among the signed headers', () => {
  expect(isSignedBy('SecretKey', claimOf(post, ['test_underscore']), post)).toBe(false);
});

const sign = (target: string): string => signatureOf('SecretKey', ['x-sdk-date'], { ...get, target });

test('repeated keys sign the same in any order, and how a character was escaped does not matter', () => {
  expect(sign('/exec?command=ls&command=%2Ftmp')).toBe(sign('/exec?command=/tmp&command=ls'));
  expect(sign('/exec?a=x+y&b')).toBe(sign('/exec?b=&a=x%20y'));
  expect(sign('/a%2Db/')).toBe(sign('/a-b'));
});

test('a hash of the body that the client sends has to be right', () => {
  const request = { ...post, headers: { ...post.headers, 'x-sdk-content-sha256': 'f'.repeat(64) } };
  expect(isSignedBy('SecretKey', claimOf(request), request)).toBe(false);
});

test('only requests of the last and the next 15 minutes are timely', () => {
  const signed = Date.UTC(2006, 0, 2, 15, 4, 5);
  expect(isTimely(date, signed + 900_000)).toBe(true);
  expect(isTimely(date, signed - 900_000)).toBe(true);
  expect(isTimely(date, signed + 901_000)).toBe(false);
  expect(isTimely(date, signed - 901_000)).toBe(false);
  expect(isTimely('yesterday', signed)).toBe(false);
});

test('other kinds of authorization are no claim', () => {
  const signature = 'a'.repeat(64);
  expect(readClaim(`SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=${signature}`)).toEqual({
    accessKey: 'AK',
    signedHeaders: ['host', 'x-sdk-date'],
    signature,
  });
  expect(readClaim('Bearer abc')).toBeUndefined();
  expect(readClaim(undefined)).toBeUndefined();
});
