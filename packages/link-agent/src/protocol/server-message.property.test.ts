import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { readServerMessage } from './server-message.ts';

const service = {
  namespace: 'shop',
  name: 'web',
  kind: 'clusterIP',
  affinitySeconds: 10_800,
  ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
  groups: [
    {
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
      endpoints: [
        { address: '10.244.0.7', hostname: 'web-0' },
        { address: '10.244.0.8', draining: true },
      ],
    },
  ],
};

test('a message that is right is read as it was sent', () => {
  for (const message of [{ service }, { absent: ['shop', 'web'] }, { resolvers: ['10.0.0.1'], authorities: 'PEM' }]) {
    expect(readServerMessage(JSON.stringify(message))).toEqual(message);
  }
});

test('what is added later is ignored', () => {
  const message = { service: { ...service, more: 1 }, later: true };
  expect(readServerMessage(JSON.stringify(message))).toEqual({ service });
});

describe('of what cannot be', () => {
  test.each([
    ['a port', { ...service, ports: [{ name: 'http', protocol: 'TCP', port: 0 }] }],
    ['a protocol', { ...service, ports: [{ name: 'http', protocol: 'SCTP', port: 80 }] }],
  ])('%s is left out', (_, odd) => {
    expect(readServerMessage(JSON.stringify({ service: odd }))?.service?.ports).toEqual([]);
  });

  test.each([
    ['a name', { ...service, name: 'a.b' }],
    ['a kind', { ...service, kind: 'other' }],
    ['nothing', null],
  ])('with %s there is no Service', (_, odd) => {
    expect(readServerMessage(JSON.stringify({ service: odd }))).toEqual({});
  });

  test('an address that is none is no endpoint', () => {
    const groups = [
      { ports: [], endpoints: [{ address: 'localhost' }, { address: '::1' }, {}, { address: '10.0.0.1' }] },
    ];
    expect(
      readServerMessage(JSON.stringify({ service: { ...service, groups } }))?.service?.groups[0]?.endpoints,
    ).toEqual([{ address: '10.0.0.1' }]);
  });
});

describe('whatever the server sends', () => {
  test('is read or is no message, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const message = readServerMessage(text);
        expect(message === undefined || typeof message === 'object').toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('also when parts of a right message are something else', () => {
    const odd = fc.jsonValue();
    const anyService = fc.record(
      { namespace: odd, name: odd, kind: odd, ports: odd, groups: odd, externalName: odd, affinitySeconds: odd },
      { requiredKeys: [] },
    );
    const keys = fc.uniqueArray(fc.constantFrom(...Object.keys(service)));
    fc.assert(
      fc.property(anyService, keys, odd, (other, kept, absent) => {
        const some = Object.fromEntries(Object.entries(service).filter(([key]) => kept.includes(key)));
        readServerMessage(JSON.stringify({ service: { ...other, ...some }, absent, resolvers: absent }));
      }),
      { numRuns: 3000 },
    );
  });
});
