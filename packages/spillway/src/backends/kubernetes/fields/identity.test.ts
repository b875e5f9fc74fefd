import { execFileSync } from 'node:child_process';
import type { PodSpec } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { identityOf, knowsHostnameOverride, withHosts } from './identity.ts';

const identity = (
  name: string,
  spec: Partial<PodSpec>,
  options: Parameters<typeof identityOf>[1] = {},
): ReturnType<typeof identityOf> =>
  identityOf(
    {
      pod: { metadata: { name, namespace: 'shop' }, spec: { containers: [], ...spec } },
      clusterDomain: 'cluster.local',
    },
    options,
  );
const newest = { hostnameOverride: true };

describe('in another cluster a pod has', () => {
  test.each<[string, ReturnType<typeof identity>['spec'], ReturnType<typeof identity>]>([
    ['its own name', { hostname: 'web' }, identity('web', {})],
    ['the host name that it asked for', { hostname: 'db' }, identity('web', { hostname: 'db' })],
    ['its name with its dots', { hostname: 'v1-2', hostnameOverride: 'v1.2' }, identity('v1.2', {}, newest)],
    ['dashes in place of dots where host names cannot have them', { hostname: 'v1-2' }, identity('v1.2', {})],
    [
      'its fully qualified name for a host name when it wants that',
      { hostname: 'a', hostnameOverride: 'a.ring.shop.svc.cluster.local' },
      identity('a', { subdomain: 'ring', setHostnameAsFQDN: true }, newest),
    ],
    [
      'the override that it asked for',
      { hostnameOverride: 'x.y' },
      identity('web', { hostnameOverride: 'x.y' }, newest),
    ],
  ])('%s', (_, spec, found) => {
    expect(found.spec).toEqual(spec);
    expect(found.hosts).toBeUndefined();
  });
});

/** What the first container makes of the hosts file that the kubelet wrote. */
function hostsOf(name: string, spec: Partial<PodSpec>, written: string): string {
  const { hosts } = identity(name, spec, { ...newest, hostsImage: 'busybox' });
  if (hosts === undefined) return written;
  const [script = ''] =
    withHosts({ containers: [{ name: 'main' }] }, hosts).initContainers?.[0]?.command?.slice(2) ?? [];
  const [program = ''] = /'.*'/.exec(script) ?? [];
  return execFileSync('sed', [program.slice(1, -1)], { input: written, encoding: 'utf8' });
}

const kubelet = (name: string): string => `127.0.0.1\tlocalhost\n10.1.0.7\t${name}\n\n10.9.9.9\tforeign\n`;

describe('the hosts file of a pod with a subdomain', () => {
  test('has its fully qualified name in its own namespace, as a kubelet of this cluster writes it', () => {
    const expected =
      '127.0.0.1\tlocalhost\n10.1.0.7\tring-1.ring.shop.svc.cluster.local\tring-1\n\n10.9.9.9\tforeign\n';
    expect(hostsOf('ring-1', { subdomain: 'ring' }, kubelet('ring-1'))).toBe(expected);
    const long = { subdomain: 'ring', setHostnameAsFQDN: true };
    expect(hostsOf('ring-1', long, kubelet('ring-1.ring.shop.svc.cluster.local'))).toBe(expected);
  });

  test('is written before its containers start, which see it, but for those that bring their own', () => {
    const { hosts } = identity('a', { subdomain: 'ring' }, { hostsImage: 'busybox' });
    const own = { name: 'own', volumeMounts: [{ name: 'mine', mountPath: '/etc/hosts' }] };
    const spec = withHosts(
      { containers: [{ name: 'main' }, own], initContainers: [{ name: 'first' }] },
      hosts ?? { image: '', written: '', names: [] },
    );
    expect(spec.initContainers?.map(({ name }) => name)).toEqual(['spillway-hosts', 'first']);
    const mounts = [...(spec.initContainers ?? []).slice(1), ...spec.containers].map(
      ({ volumeMounts }) => volumeMounts,
    );
    const mount = { name: 'spillway-hosts', mountPath: '/etc/hosts', subPath: 'hosts' };
    expect(mounts).toEqual([[mount], [mount], own.volumeMounts]);
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
