import type { EndpointSlice, Service } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { linkServiceOf } from './link-service.ts';

const metadata = { namespace: 'shop', name: 'web' };
const ports = [
  { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' },
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'sctp', port: 99, protocol: 'SCTP' },
];
const service = (spec: Service['spec']): Service => ({ metadata, spec: { clusterIP: '10.96.0.7', ports, ...spec } });

const slice = (
  endpoints: NonNullable<EndpointSlice['endpoints']>,
  more: Partial<EndpointSlice> = {},
): EndpointSlice => ({
  metadata: { namespace: 'shop', name: 'web-x', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints,
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  ...more,
});

const endpointsOf = (endpoints: NonNullable<EndpointSlice['endpoints']>): unknown =>
  linkServiceOf(service({}), [slice(endpoints)])?.groups[0]?.endpoints;

test('a Service with an address has its ports, and those of its endpoints under the same names', () => {
  expect(linkServiceOf(service({}), [slice([{ addresses: ['10.244.0.7'], hostname: 'web-0' }])])).toEqual({
    namespace: 'shop',
    name: 'web',
    kind: 'clusterIP',
    ports: [
      { name: 'http', protocol: 'TCP', port: 80 },
      { name: 'dns', protocol: 'UDP', port: 53 },
    ],
    groups: [
      {
        ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
        endpoints: [{ address: '10.244.0.7', hostname: 'web-0' }],
      },
    ],
  });
});

test('its kind follows from its address', () => {
  expect(linkServiceOf(service({ clusterIP: 'None' }), [])).toMatchObject({ kind: 'headless', ports: [] });
  const external = service({ type: 'ExternalName', externalName: 'example.com' });
  expect(linkServiceOf(external, [])).toMatchObject({ kind: 'externalName', externalName: 'example.com' });
  expect(linkServiceOf(service({ clusterIP: '' }), [])).toBeUndefined();
});

test('affinity has the time that the Service says, or the usual one', () => {
  expect(linkServiceOf(service({ sessionAffinity: 'ClientIP' }), [])?.affinitySeconds).toBe(10_800);
  const sessionAffinityConfig = { clientIP: { timeoutSeconds: 30 } };
  expect(linkServiceOf(service({ sessionAffinity: 'ClientIP', sessionAffinityConfig }), [])?.affinitySeconds).toBe(30);
  expect(linkServiceOf(service({ sessionAffinity: 'None' }), [])).not.toHaveProperty('affinitySeconds');
});

describe('an endpoint', () => {
  const addresses = ['10.244.0.7'];

  test('of which nothing is said is ready', () => {
    expect(endpointsOf([{ addresses }])).toEqual([{ address: '10.244.0.7' }]);
    expect(endpointsOf([{ addresses, conditions: { ready: true } }])).toEqual([{ address: '10.244.0.7' }]);
  });

  test('that is going and still serves is drained', () => {
    const conditions = { ready: false, serving: true, terminating: true };
    expect(endpointsOf([{ addresses, conditions }])).toEqual([{ address: '10.244.0.7', draining: true }]);
  });

  test('that is not ready, or going and serves no more, is left out', () => {
    for (const conditions of [
      { ready: false },
      { ready: false, serving: false, terminating: true },
      { ready: false, serving: true, terminating: false },
    ]) {
      expect(endpointsOf([{ addresses, conditions }])).toBeUndefined();
    }
  });
});

test('addresses of version 6 are left out', () => {
  expect(linkServiceOf(service({}), [slice([{ addresses: ['fd00::1'] }], { addressType: 'IPv6' })])?.groups).toEqual(
    [],
  );
});
