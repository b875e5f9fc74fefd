import type { PodSpec } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { type ResolvedDns, resolveDns } from './dns.ts';

const node = {
  clusterServers: ['10.0.0.10'],
  clusterDomain: 'cluster.local',
  host: { servers: ['192.0.2.53'], searches: ['example.com'], options: ['timeout:2'] },
};

function resolve(spec: Partial<PodSpec>, facts: Parameters<typeof resolveDns>[1] = node): ResolvedDns {
  return resolveDns({ metadata: { namespace: 'shop' }, spec: { containers: [], ...spec } }, facts);
}

const cluster = {
  servers: ['10.0.0.10'],
  searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com'],
  options: ['ndots:5'],
};

describe('the resolver of a pod', () => {
  test.each([{}, { dnsPolicy: 'ClusterFirst' }, { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }])(
    'is the cluster’s: %j',
    (spec) => {
      expect(resolve(spec)).toEqual({ config: cluster, notices: [] });
    },
  );

  test.each([{ dnsPolicy: 'Default' }, { dnsPolicy: 'ClusterFirst', hostNetwork: true }])(
    'is the host’s: %j',
    (spec) => {
      expect(resolve(spec).config).toEqual(node.host);
    },
  );

  test('is the backend’s own where the host’s is not known', () => {
    expect(resolve({ dnsPolicy: 'Default' }, { clusterServers: [], clusterDomain: '' })).toEqual({ notices: [] });
  });

  test('is only what the pod says with policy None', () => {
    const dnsConfig = {
      nameservers: ['1.1.1.1'],
      searches: ['a.b'],
      options: [{ name: 'ndots', value: '1' }, { name: 'edns0' }],
    };
    expect(resolve({ dnsPolicy: 'None', dnsConfig }).config).toEqual({
      servers: ['1.1.1.1'],
      searches: ['a.b'],
      options: ['ndots:1', 'edns0'],
    });
  });

  test('is extended by what the pod says, without repeating, options replaced', () => {
    const dnsConfig = {
      nameservers: ['10.0.0.10', '1.1.1.1'],
      searches: ['cluster.local', 'x'],
      options: [{ name: 'ndots', value: '2' }],
    };
    expect(resolve({ dnsConfig }).config).toEqual({
      servers: ['10.0.0.10', '1.1.1.1'],
      searches: [...cluster.searches, 'x'],
      options: ['ndots:2'],
    });
  });

  test('falls back to the host’s, and says so, when the cluster’s is not known', () => {
    const { config, notices } = resolve({}, { ...node, clusterServers: [] });
    expect(config).toEqual(node.host);
    expect(notices).toMatchObject([{ severity: 'Warning', reason: 'MissingClusterDNS' }]);
  });

  test('keeps to the limits of resolvers, and says what it left out', () => {
    const nameservers = ['1.1.1.1', '1.1.1.2', '1.1.1.3'];
    const searches = ['x'.repeat(254), ...Array.from({ length: 40 }, (_, index) => `${'y'.repeat(90)}${index}`)];
    const { config, notices } = resolve({ dnsConfig: { nameservers, searches } });
    expect(config?.servers).toEqual(['10.0.0.10', '1.1.1.1', '1.1.1.2']);
    expect(config?.searches.join(' ').length).toBeLessThanOrEqual(2048);
    expect(config?.searches.length).toBeLessThanOrEqual(32);
    expect(config?.searches).not.toContain(searches[0]);
    expect(notices.map(({ reason }) => reason)).toEqual(['DNSConfigForming', 'DNSConfigForming']);
  });
});
