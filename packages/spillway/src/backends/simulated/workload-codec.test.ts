import { expect, test } from 'vitest';
import type { Workload } from '../backend.ts';
import { decodeWorkload, encodeWorkload } from './workload-codec.ts';

const workload: Workload = {
  ref: { uid: 'u-1', namespace: 'shop', name: 'web-0' },
  pod: { metadata: { name: 'web-0' }, spec: { containers: [{ name: 'main' }] } },
  revision: 'r1',
  environment: new Map([['main', [{ name: 'URL', value: ['http://', { late: 'status.podIP' }] }]]]),
  volumes: new Map<string, NonNullable<ReturnType<Workload['volumes']['get']>>>([
    ['scratch', { kind: 'emptyDir', medium: 'Memory', sizeLimitBytes: 2n ** 60n }],
    ['plain', { kind: 'emptyDir', medium: '' }],
    ['files', { kind: 'files', files: [{ path: 'a/b', mode: 0o400, content: Buffer.from([0, 255, 10]), uid: 7 }] }],
  ]),
  objects: {
    configMaps: new Map([['settings', { data: { colour: 'blue' } }]]),
    secrets: new Map([['login', { data: { password: 'c2VzYW1l' } }]]),
  },
  claims: new Map([['data', { namespace: 'n', name: 'data', claim: {}, volume: { metadata: { name: 'pv' } } }]]),
  registryCredentials: [{ registry: 'quay.io', username: 'u', password: 'p' }],
  dns: { servers: ['10.0.0.10'], searches: [], options: [] },
  hostIPs: ['192.0.2.1'],
  clusterDomain: 'cluster.local',
};

test('a workload is the same after it was stored', () => {
  expect(decodeWorkload(encodeWorkload(workload))).toEqual(workload);
});

test.each(['', '{', '{}', '{"version":2}'])('%j is not taken for a workload', (text) => {
  expect(() => decodeWorkload(text)).toThrow();
});
