import { fc, test as propertyTest } from '@fast-check/vitest';
import type { PodSpec } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { type Identity, identityOf, knowsHostnameOverride, noticesOf } from './identity.ts';

const identity = (name: string, spec: Partial<PodSpec>, knowsOverride = true): Identity =>
  identityOf(
    {
      pod: { metadata: { name, namespace: 'shop' }, spec: { containers: [], ...spec } },
      clusterDomain: 'cluster.local',
    },
    knowsOverride,
  );

const ring = { subdomain: 'ring' };
const qualified = 'a.ring.shop.svc.cluster.local';
const long = 'x'.repeat(62);

describe('in another cluster a pod has the host name', () => {
  test.each<[string, Identity['spec'], Identity]>([
    ['that is its name', { hostname: 'web' }, identity('web', {})],
    ['that it asks for', { hostname: 'db' }, identity('web', { hostname: 'db' })],
    ['that is its name, also with a subdomain', { hostname: 'a' }, identity('a', ring)],
    ['that is its name with its dots', { hostname: 'v1-2', hostnameOverride: 'v1.2' }, identity('v1.2', {})],
    [
      'that is its name cut after 63 characters, and after the last letter or digit of them',
      { hostname: long },
      identity(`${long}-${long}`, {}),
    ],
    [
      'that is its fully qualified name when it wants that',
      { hostname: 'a', hostnameOverride: qualified },
      identity('a', { ...ring, setHostnameAsFQDN: true }),
    ],
    [
      'that is the short one when it wants the fully qualified one, and has none',
      { hostname: 'a' },
      identity('a', { setHostnameAsFQDN: true }),
    ],
    [
      'that is the override that it asks for',
      { hostname: 'x-y', hostnameOverride: 'x.y' },
      identity('web', { ...ring, hostname: 'db', hostnameOverride: 'x.y' }),
    ],
    [
      'that is the override that it asks for, wherever a host name can be that',
      { hostname: 'xy' },
      identity('web', { hostnameOverride: 'xy' }, false),
    ],
  ])('%s', (_, spec, found) => {
    expect(found.spec).toEqual(spec);
    expect(found.hostname.given).toBe(found.hostname.wanted);
    expect(found.hostname.given).toBe(spec.hostnameOverride ?? spec.hostname);
  });

  test.each<[string, string, Identity]>([
    ['has dashes in place of dots', 'v1-2', identity('v1.2', {}, false)],
    ['has dashes in place of the dots of an override', 'x-y', identity('web', { hostnameOverride: 'x.y' }, false)],
    ['is the short one', 'a', identity('a', { ...ring, setHostnameAsFQDN: true }, false)],
    ['is the short one when the other is too long', long, identity(long, { ...ring, setHostnameAsFQDN: true })],
  ])('that is not its own where it cannot be set: it %s, and the pod says so', (_, given, found) => {
    const { wanted } = found.hostname;
    expect(found.spec).toEqual({ hostname: given });
    expect(noticesOf(found, { written: true, remedy: '' })).toEqual([
      {
        severity: 'Normal',
        reason: 'HostNameDiffers',
        message: `The host name is "${given}" instead of "${wanted}", which cannot be set where the pod runs`,
      },
    ]);
  });
});

const word = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const podName = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));

propertyTest.prop([podName, fc.boolean()])('whatever a pod is called, its host name is a valid one', (name, knows) => {
  const { hostname = '', hostnameOverride = 'x' } = identity(name, {}, knows).spec;
  expect(hostname).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  expect(hostnameOverride).toMatch(/^[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?$/);
});

describe('the addresses of a pod are called', () => {
  test.each<[string, readonly string[] | undefined, Identity]>([
    ['as the kubelet calls them, without a subdomain', undefined, identity('a', {})],
    ['as the kubelet calls them, with an override', undefined, identity('a', { ...ring, hostnameOverride: 'b' })],
    ['by the fully qualified name in its own namespace first', [qualified, 'a'], identity('a', ring)],
    [
      'by both names, whichever of them is the host name',
      [qualified, 'a'],
      identity('a', { ...ring, setHostnameAsFQDN: true }),
    ],
    [
      'by the host name, too, where that is another one',
      ['v1.2.ring.shop.svc.cluster.local', 'v1.2', 'v1-2'],
      identity('v1.2', ring, false),
    ],
  ])('%s', (_, names, found) => {
    expect(found.names).toEqual(names);
  });

  test('by no fully qualified name where its domain is not known', () => {
    const pod = { metadata: { name: 'a', namespace: 'shop' }, spec: { containers: [], ...ring } };
    expect(identityOf({ pod }, true).names).toBeUndefined();
  });

  test('by no fully qualified name where nothing can write it, and the pod says so', () => {
    const remedy = 'Do this';
    const [written, unwritten] = [
      { written: true, remedy },
      { written: false, remedy },
    ];
    expect(noticesOf(identity('a', ring), unwritten)).toEqual([
      {
        severity: 'Normal',
        reason: 'HostNameNotQualified',
        message: `The fully qualified name "${qualified}" is not in /etc/hosts, and "hostname -f" does not give it. Do this.`,
      },
    ]);
    expect(noticesOf(identity('a', ring), written)).toEqual([]);
    expect(noticesOf(identity('a', {}), unwritten)).toEqual([]);
  });
});

test.each([
  ['v1.35.0', true],
  ['v1.37.2+k3s1', true],
  ['v1.34.9', false],
  ['unknown', false],
  ['v1', false],
])('a cluster of version %s knows host names with dots: %s', (version, knows) => {
  expect(knowsHostnameOverride(version)).toBe(knows);
});
