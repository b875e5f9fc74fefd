import { fc, test as generated } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type RequestToSign, signRequest } from './signing.ts';

const keys = { accessKey: 'AccessKey', secretKey: 'SecretKey' };
const date = new Date('2006-01-02T15:04:05.678Z');

const sign = (
  request: Partial<RequestToSign>,
  options: { projectId?: string; securityToken?: string } = {},
): Record<string, string> =>
  signRequest(
    { method: 'GET', path: '/path', headers: {}, body: null, ...request },
    { ...keys, securityToken: options.securityToken },
    { date, projectId: options.projectId },
  );

const signatureOf = (headers: Record<string, string>): string => headers['authorization']?.split('Signature=')[1] ?? '';
const signedNamesOf = (headers: Record<string, string>): string[] =>
  /SignedHeaders=([^,]*),/.exec(headers['authorization'] ?? '')?.[1]?.split(';') ?? [];

describe("the vendor's own examples", () => {
  test('a GET', () => {
    expect(sign({ path: '/path?limit=1', headers: { TEST_UNDERSCORE: 'TEST_VALUE' } })).toEqual({
      'x-sdk-date': '20060102T150405Z',
      authorization:
        'SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=test_underscore;x-sdk-date, ' +
        'Signature=daeadcf4a306599f7422401cc55d3718a23ef159fed370c62c551a2c45ae9655',
    });
  });

  test.each([
    ['as text', '{"Name":"test","Id":1}'],
    ['as bytes', Buffer.from('{"Name":"test","Id":1}')],
  ])('a POST with its body %s', (_, body) => {
    const headers = { TEST_UNDERSCORE: 'TEST_VALUE', 'content-type': 'application/json' };
    expect(sign({ method: 'POST', path: '/path?key=value', headers, body })['authorization']).toBe(
      'SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=content-type;test_underscore;x-sdk-date, ' +
        'Signature=0238c3bedddfe8bf113c7530f783322380dedf720d514861623cfe5f73aa8f64',
    );
  });
});

const pathWith = (pairs: [string, string][]): string => `/path?${new URLSearchParams(pairs).toString()}`;
const parameters = fc.array(fc.tuple(fc.constantFrom('command', 'container', 'a b', 'ä'), fc.string()), {
  maxLength: 6,
});

describe('a signature', () => {
  generated.prop([
    parameters.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
  ])('does not depend on the order of the query', ([list, shuffled]) => {
    expect(sign({ path: pathWith(shuffled) })).toEqual(sign({ path: pathWith(list) }));
  });

  generated.prop([fc.webPath(), fc.string(), fc.constantFrom('GET', 'POST', 'DELETE'), fc.string()])(
    'depends on the path, the query, the method and the body',
    (path, value, method, body) => {
      const request = { path: `/${path}?a=${encodeURIComponent(value)}`, method, body };
      const others = [
        { ...request, path: `${request.path}&b=` },
        { ...request, path: `/more${request.path}` },
        { ...request, method: 'PUT' },
        { ...request, body: `${body}.` },
      ];
      const signature = signatureOf(sign(request));
      for (const other of others) expect(signatureOf(sign(other))).not.toBe(signature);
    },
  );

  test('is the same however the path and the query were escaped', () => {
    expect(sign({ path: '/a%7Eb/c?x=a%20b&y' })).toEqual(sign({ path: '/a~b/c/?y=&x=a+b' }));
    expect(() => sign({ path: '/100%' })).not.toThrow();
  });

  test('leaves out what proxies change and what the WebSocket handshake owns', () => {
    const passing = {
      Connection: 'Upgrade',
      'Keep-Alive': '5',
      Upgrade: 'websocket',
      TE: 'trailers',
      'Transfer-Encoding': 'chunked',
      'Proxy-Authorization': 'x',
      'Sec-WebSocket-Key': 'abc',
      'Sec-WebSocket-Protocol': 'v5.channel.k8s.io',
      'User-Agent': 'spillway',
      'Accept-Encoding': 'gzip',
      'Content-Length': '3',
      Authorization: 'Bearer x',
    };
    expect(signedNamesOf(sign({ headers: { Host: 'cci.example', ...passing } }))).toEqual(['host', 'x-sdk-date']);
  });

  test('covers project and security token, which are sent with it', () => {
    const headers = sign({ headers: { host: 'cci.example' } }, { projectId: 'p1', securityToken: 't1' });
    expect(headers).toMatchObject({ 'x-project-id': 'p1', 'x-security-token': 't1' });
    expect(signedNamesOf(headers)).toEqual(['host', 'x-project-id', 'x-sdk-date', 'x-security-token']);
  });

  test('of an upgrade is that of an empty body', () => {
    const headers = { upgrade: 'websocket' };
    expect(sign({ headers, body: 'early bytes' })).toEqual(sign({ headers, body: null }));
  });

  test('takes the hash that a header gives in place of the body', () => {
    const headers = { 'X-Sdk-Content-Sha256': 'UNSIGNED-PAYLOAD' };
    expect(sign({ headers, body: 'a' })).toEqual(sign({ headers, body: 'b' }));
  });

  test('never contains the secret key', () => {
    expect(JSON.stringify(sign({}, { securityToken: 't' }))).not.toContain(keys.secretKey);
  });
});
