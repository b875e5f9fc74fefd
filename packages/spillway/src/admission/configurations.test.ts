import type { Event, MutatingWebhook } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { advisoryConfiguration, hostsOf, mutatingConfiguration } from './configurations.ts';
import { stalledBy } from './revive.ts';
import { changedEntries } from './trust.ts';

const address = { url: 'https://[fd00::1]:9443' };
const taintKeys = ['virtual-kubelet.io/burst-to-cci'];
const entries = (rules = true): readonly MutatingWebhook[] =>
  mutatingConfiguration('spillway', { address, rules, taintKeys }).webhooks ?? [];

describe('the webhook configurations', () => {
  it('never hold up the cluster, except for what must burst', () => {
    const failing = entries().filter(({ failurePolicy }) => failurePolicy !== 'Ignore');
    expect(failing.map(({ name }) => name)).toEqual(['enforce-pods.spillway.dev', 'enforce-workloads.spillway.dev']);
    const advisory = advisoryConfiguration('spillway', address).webhooks ?? [];
    expect(advisory.map(({ failurePolicy }) => failurePolicy)).toEqual(['Ignore', 'Ignore']);
  });

  it('wait two seconds at most, are asked again after others, and are asked only about what concerns them', () => {
    for (const entry of [...entries(), ...(advisoryConfiguration('spillway', address).webhooks ?? [])]) {
      expect(entry).toMatchObject({ timeoutSeconds: 2, sideEffects: 'None' });
      expect(entry.matchConditions?.[0]?.expression).toMatch(/burst-to-cci|monitor_port/);
    }
    for (const entry of entries()) expect(entry.reinvocationPolicy).toBe('IfNeeded');
  });

  it('beside policies ask the pools only, of pods that a scheduler could place on a virtual node', () => {
    const beside = entries(false);
    expect(beside.map(({ name, failurePolicy }) => [name, failurePolicy])).toEqual([['pods.spillway.dev', 'Ignore']]);
    const expression = beside[0]?.matchConditions?.[0]?.expression;
    expect(expression).toContain('== "auto"');
    expect(expression).toContain('t.key in ["virtual-kubelet.io/burst-to-cci"]');
  });

  it('name a Service or a URL, and the certificate names the same', () => {
    expect(entries()[0]?.clientConfig).toEqual({ url: 'https://[fd00::1]:9443/mutate' });
    expect(hostsOf(address)).toEqual(['fd00::1']);
    const service = { service: { namespace: 'a', name: 'b' } };
    expect(advisoryConfiguration('spillway', service).webhooks?.[0]?.clientConfig.service).toEqual({
      namespace: 'a',
      name: 'b',
      path: '/advise',
      port: 443,
    });
    expect(hostsOf(service)).toContain('b.a.svc');
  });

  it('get the bundle of all authorities and the namespaces with profiles, and are left alone when they have them', () => {
    const trust = { authorities: ['one\n', 'two\n'], profileNamespaces: ['b', 'a'] };
    const patch = changedEntries(entries(), trust);
    expect(patch).toHaveLength(entries().length);
    const caBundle = Buffer.from('one\ntwo\n').toString('base64');
    expect(patch).toContainEqual({
      name: 'profiles.spillway.dev',
      clientConfig: { caBundle },
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['a', 'b'] }],
      },
    });
    const there = entries().map((entry) => ({ ...entry, clientConfig: { caBundle } }));
    const unchanged = there.filter(({ name }) => name !== 'profiles.spillway.dev');
    expect(changedEntries(unchanged, trust)).toEqual([]);
  });
});

const failed = (uid: string, message: string, more: Partial<Event> = {}): Event => ({
  metadata: {},
  reason: 'FailedCreate',
  involvedObject: { kind: 'ReplicaSet', namespace: 'a', name: uid, uid },
  message: `Error creating: Internal error occurred: ${message}`,
  lastTimestamp: '2026-01-01T00:10:00Z',
  ...more,
});

describe('after an outage', () => {
  it('workloads that failed because of our webhook, lately, are tried again; each once', () => {
    const ours = 'failed calling webhook "enforce-pods.spillway.dev": connection refused';
    const stalled = stalledBy(
      [
        failed('1', ours),
        failed('1', ours),
        failed('2', 'failed calling webhook "other.example.org": EOF'),
        failed('3', 'exceeded quota: compute'),
        failed('4', ours, { lastTimestamp: '2026-01-01T00:00:00Z' }),
        failed('5', ours, { involvedObject: { kind: 'DaemonSet', uid: '5' } }),
      ],
      Date.parse('2026-01-01T00:05:00Z'),
    );
    expect([...stalled.keys()]).toEqual(['1']);
  });
});
