import type { Deployment, Pod, Service } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { dropped, passed, refused } from '../podspec/fit/fields.ts';
import { type AskPools, fitOf, type Pool } from '../podspec/fit/fit.ts';
import { unknownSupport } from '../podspec/fit/support.ts';
import { specOf } from '../podspec/testing/sized-specs.ts';
import { advise } from './advise.ts';
import type { AdmissionRequest } from './admission-review.ts';

const label = 'virtual-kubelet.io/burst-to-cci';
const fields = {
  '*': passed,
  hostNetwork: refused('host-namespace-unsupported'),
  hostPID: refused('host-namespace-unsupported'),
  priority: dropped,
};
const pool = (name: string, more: Partial<Pool> = {}): Pool => ({
  name,
  nodeName: `vk-${name}`,
  taints: [],
  support: unknownSupport,
  sizing: 'none',
  ...more,
});
const asking =
  (...pools: readonly Pool[]): AskPools =>
  (pod) =>
    pools.map((each) => ({ pool: each, fit: fitOf(pod, each) }));
const cci = pool('cci', { sizing: 'cci' });
const picky = pool('picky', { support: { ...unknownSupport, fields } });
const ask = asking(picky);

const deployment = (value: string | undefined, own?: string): Deployment => ({
  kind: 'Deployment',
  metadata: { namespace: 'a', labels: own === undefined ? {} : { [label]: own } },
  spec: {
    replicas: 3,
    selector: {},
    template: { metadata: { labels: value === undefined ? {} : { [label]: value } }, spec: specOf('500m/1Gi') },
  },
});
const request = (object: Deployment | Pod | Service, oldObject?: Deployment): AdmissionRequest => ({
  uid: '1',
  operation: oldObject ? 'UPDATE' : 'CREATE',
  namespace: 'a',
  object,
  oldObject,
});

function withSpec(spec: object, more: object = {}): Deployment {
  const { metadata, ...rest } = deployment('enforce');
  const template = { metadata: { labels: { [label]: 'enforce' } }, spec: { containers: [], ...spec } };
  return { ...rest, metadata: { ...metadata, ...more }, spec: { replicas: 3, selector: {}, template } };
}
const onHost = withSpec({ hostNetwork: true });
const auto = (spec: object): Deployment => {
  const made = withSpec(spec);
  const template = { ...made.spec?.template, metadata: { labels: { [label]: 'auto' } } };
  return { ...made, spec: { replicas: 3, selector: {}, template } };
};

const withProbe = (name: string): object => ({ name, livenessProbe: {} });

describe('advice', () => {
  it('says what will be billed, and that it is provisional', () => {
    expect(advise(request(deployment('auto')), asking(cci))).toEqual({
      allowed: true,
      warnings: [
        'up to 3 pods may burst to pool cci, billed as 0.5 CPU, 1 GiB each (before changes by other webhooks)',
      ],
    });
  });

  it('counts a pod by itself as one', () => {
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels: { [label]: 'auto' } },
      spec: specOf('500m/1Gi'),
    };
    expect(advise(request(pod), asking(cci)).warnings?.[0]).toMatch(/^one pod may burst to pool cci/);
  });

  it('says why a workload that may burst will not, each reason once, with its field and container', () => {
    const probed = auto({ containers: [withProbe('web'), withProbe('log')], hostNetwork: true });
    const noProbes = pool('picky', {
      support: {
        ...unknownSupport,
        fields: { ...fields, containers: { fields: { '*': passed, livenessProbe: refused('field-not-offered') } } },
      },
    });
    expect(advise(request(probed), asking(noProbes)).warnings).toEqual([
      'the pods will not burst, because no pool runs them as they are',
      expect.stringMatching(
        /^Pool picky: spec\.containers\[0\]\.livenessProbe \(container web\), spec\.containers\[1\]\.livenessProbe \(container log\): the service .*\.$/,
      ),
      expect.stringMatching(/^Pool picky: spec\.hostNetwork: pods of the pool .*\.$/),
    ]);
  });

  it('says it once for all pools with the same reason', () => {
    const { warnings } = advise(request(auto({ hostNetwork: true })), asking(picky, { ...picky, name: 'other' }));
    expect(warnings?.slice(1)).toEqual([expect.stringMatching(/^Pools picky, other: spec\.hostNetwork: /)]);
  });

  it('says what the pods will not get, unless their template does without it', () => {
    const token = pool('far', { support: { ...unknownSupport, accessToken: false } });
    expect(advise(request(deployment('auto')), asking(token)).warnings).toEqual([
      expect.stringMatching(
        /^Pool far: spec\.automountServiceAccountToken: the pod does not get the service account token/,
      ),
    ]);
    expect(advise(request(auto({ automountServiceAccountToken: false })), asking(token)).warnings).toEqual([]);
  });

  it('refuses what must burst and cannot, unless one of the pools can', () => {
    expect(advise(request(onHost), ask)).toEqual({
      allowed: false,
      message: expect.stringMatching(
        /^No pool runs the pods as they are, .* Pool picky: spec\.hostNetwork: .*\.$/,
      ) as unknown,
    });
    expect(advise(request(onHost), asking(picky, pool('any'))).allowed).toBe(true);
  });

  describe('of a change', () => {
    it.each([
      ['a scale-down', { ...onHost, spec: { selector: {}, template: onHost.spec?.template ?? {}, replicas: 0 } }],
      ['an annotation', withSpec({ hostNetwork: true }, { annotations: { a: 'b' } })],
      [
        'the removal of a finalizer while it is being deleted',
        withSpec({ hostNetwork: true }, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [] }),
      ],
      ['another number in the same field', withSpec({ hostNetwork: true, priority: 7 })],
    ])('lets pass %s, although what was there before cannot burst, and says so', (_, changed) => {
      const { allowed, warnings } = advise(request(changed, onHost), ask);
      expect([allowed, warnings?.length]).toEqual([true, 2]);
    });

    it('refuses what it brings in, and says nothing else', () => {
      const { allowed, message } = advise(request(withSpec({ hostNetwork: true, hostPID: true }), onHost), ask);
      expect(allowed).toBe(false);
      expect(message).toContain('spec.hostPID');
      expect(message).not.toContain('spec.hostNetwork');
      expect(advise(request(onHost, withSpec({})), ask).allowed).toBe(false);
      expect(advise(request(onHost, deployment('auto')), ask).allowed).toBe(false);
    });
  });

  it('asks for the pods that the label of the workload will make burst', () => {
    const onlyLabelled = deployment(undefined, 'enforce');
    const template = { ...onlyLabelled.spec?.template, spec: { containers: [], hostNetwork: true } };
    const spec = { replicas: 3, selector: {}, template };
    expect(advise(request({ ...onlyLabelled, spec }), ask).allowed).toBe(false);
  });

  it('warns of a Service that makes its load balancer probe a port of its own', () => {
    const annotations = { 'kubernetes.io/elb.health-check-option': '{"monitor_port":"22"}' };
    const service: Service = { kind: 'Service', metadata: { name: 'web', namespace: 'a', annotations } };
    expect(advise(request(service), ask)).toEqual({
      allowed: true,
      warnings: [expect.stringContaining('probe port 22')],
    });
    expect(advise(request({ ...service, metadata: { name: 'web' } }), ask)).toEqual({
      allowed: true,
      warnings: [],
    });
  });

  it('asks nobody about pods that do not burst', () => {
    for (const value of [undefined, 'off', 'Auto']) {
      expect(advise(request(deployment(value)), ask)).toEqual({ allowed: true, warnings: [] });
    }
  });

  it('says how many pods a changed label restarts', () => {
    const { warnings } = advise(request(deployment('auto', 'auto'), deployment(undefined)), () => []);
    expect(warnings).toEqual(['the changed burst label goes into the pod template: this restarts 3 pods']);
  });

  it('says it once, for the workload, and not again for each of its pods', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: '1', controller: true };
    const pod: Pod = {
      kind: 'Pod',
      metadata: { labels: { [label]: 'auto' }, ownerReferences: [owner] },
      spec: specOf('1/2Gi'),
    };
    expect(advise(request(pod), asking(cci)).warnings).toEqual([]);
  });
});
