import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { isSignedBy, readClaim } from '../../../../cci-standin/src/signature.ts';
import { type RequestToSign, signRequest } from './signing.ts';

// The local region verifies signatures by code of its own, written from the same documents.

const secretKey = 'SecretKey';

const signedBy = (
  request: RequestToSign,
  options: { readonly projectId?: string | undefined; readonly securityToken?: string | undefined } = {},
): { readonly isValid: (arrived: RequestToSign) => boolean } => {
  const { projectId, securityToken } = options;
  const key = { accessKey: 'AccessKey', secretKey, securityToken };
  const sent = signRequest(request, key, { date: new Date('2026-03-01T00:00:00Z'), projectId });
  const isValid = ({ method, path, headers, body }: RequestToSign): boolean => {
    const all = { ...headers, ...sent };
    const arrived = Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toLowerCase(), value]));
    const claim = readClaim(sent['authorization']);
    if (claim === undefined) return false;
    return isSignedBy(secretKey, claim, { method, target: path, headers: arrived, body: bytesOf({ body }) });
  };
  return { isValid };
};

const bytesOf = ({ body }: Pick<RequestToSign, 'body'>): Uint8Array =>
  typeof body === 'string' ? Buffer.from(body) : (body ?? new Uint8Array());

/** Everything that has a meaning in an address, that is escaped in more than one way, or that is not ASCII. */
const awkward = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...Array.from(`!'()*-._~ %+&=/?#;:@$,[]{}|\\^"<>`)),
    fc.constantFrom('ä', '中', '😀', 'a', 'Z', '0'),
  ),
  maxLength: 12,
});
const escaped = awkward.map(encodeURIComponent);
/** As the WHATWG has it (a space is "+"), or escaped byte by byte. */
const pair = fc.oneof(
  fc.tuple(awkward, awkward).map(([key, value]) => new URLSearchParams([[key, value]]).toString()),
  fc.tuple(escaped, escaped).map(([key, value]) => `${key}=${value}`),
  escaped.map((key) => `${key}=`),
);
const repeated = fc.array(fc.tuple(fc.constantFrom('command', 'container', 'b', 'a'), escaped), { maxLength: 6 });
const path = fc
  .tuple(fc.array(escaped, { maxLength: 5 }), fc.array(pair, { maxLength: 4 }), repeated)
  .map(([segments, pairs, more]) => {
    const query = [...pairs, ...more.map(([key, value]) => `${key}=${value}`)].filter((each) => each !== '=').join('&');
    return `/${segments.join('/')}${query === '' ? '' : `?${query}`}`;
  });
const headers = fc.dictionary(
  fc.constantFrom('Host', 'content-type', 'X-Stream-Protocol-Version', 'Accept', 'X_Under_Score', 'User-Agent'),
  fc.string({ unit: fc.constantFrom('a', 'B', '1', ' ', ',', ';', '/', '='), maxLength: 10 }),
);
const body = fc.oneof(fc.constant(null), awkward, fc.uint8Array({ maxLength: 20 }));
const request = fc.record({ method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'), path, headers, body });
const options = fc.record({
  projectId: fc.option(fc.uuid(), { nil: undefined }),
  securityToken: fc.option(fc.base64String({ minLength: 4 }), { nil: undefined }),
});

test.prop([request, options], { numRuns: 1000 })(
  'whatever is asked for, the signature is that of the request',
  (asked, more) => {
    expect(signedBy(asked, more).isValid(asked)).toBe(true);
  },
);

test.prop([request])('and of no other', (asked) => {
  const { isValid } = signedBy(asked);
  const others = [
    { ...asked, method: 'OPTIONS' },
    { ...asked, path: `${asked.path}${asked.path.includes('?') ? '&' : '?'}command=more` },
    { ...asked, path: `/more${asked.path}` },
    { ...asked, body: Buffer.concat([bytesOf(asked), Buffer.from('.')]) },
  ];
  expect(others.filter(isValid)).toEqual([]);
});
