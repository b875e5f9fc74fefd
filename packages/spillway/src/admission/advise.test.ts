import type { Deployment, Pod, Service } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { advise, type PoolReview } from './advise.ts';
import type { AdmissionRequest } from './admission-review.ts';

const label = 'virtual-kubelet.io/burst-to-cci';
const able: PoolReview = { pool: 'cci', size: '0.5 CPU, 1 GiB', refusals: [], warnings: [] };
const unable: PoolReview = {
  pool: 'cci',
  refusals: [{ message: 'hostNetwork is not possible', remedy: 'Leave it out' }],
  warnings: [],
};

const deployment = (value: string | undefined, own?: string): Deployment => ({
  kind: 'Deployment',
  metadata: { namespace: 'a', labels: own === undefined ? {} : { [label]: own } },
  spec: {
    replicas: 3,
    selector: {},
    template: { metadata: { labels: value === undefined ? {} : { [label]: value } } },
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
/** Refuses what is on the host, by its code. */
function review(pod: Pod): PoolReview[] {
  const { hostNetwork, hostPID, priority } = pod.spec ?? {};
  const said = [
    ...(hostNetwork ? [{ code: 'HostNetwork', message: `hostNetwork with ${priority}`, remedy: 'Leave it out' }] : []),
    ...(hostPID ? [{ code: 'HostPID', message: 'hostPID', remedy: 'Leave it out' }] : []),
  ];
  return [{ pool: 'cci', refusals: said, warnings: [] }];
}

describe('advice', () => {
  it('says what will be billed, and that it is provisional', () => {
    expect(advise(request(deployment('auto')), () => [able])).toEqual({
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
      spec: { containers: [] },
    };
    expect(advise(request(pod), () => [able]).warnings?.[0]).toMatch(/^one pod may burst to pool cci/);
  });

  it('says why a workload that may burst will not', () => {
    expect(advise(request(deployment('localPrefer')), () => [unable])).toEqual({
      allowed: true,
      warnings: ['will not burst: pool cci: hostNetwork is not possible. Leave it out'],
    });
  });

  it('refuses what must burst and cannot, unless one of the pools can', () => {
    expect(advise(request(deployment('enforce')), () => [unable])).toMatchObject({
      allowed: false,
      message: expect.stringContaining('hostNetwork is not possible. Leave it out') as unknown,
    });
    expect(advise(request(deployment('enforce')), () => [unable, able]).allowed).toBe(true);
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
      const { allowed, warnings } = advise(request(changed, onHost), review);
      expect([allowed, warnings?.length]).toEqual([true, 1]);
    });

    it('refuses what it brings in, and says nothing else', () => {
      expect(advise(request(withSpec({ hostNetwork: true, hostPID: true }), onHost), review)).toEqual({
        allowed: false,
        message: 'the pods must burst, and no pool can run them: pool cci: hostPID. Leave it out',
      });
      expect(advise(request(onHost, withSpec({})), review).allowed).toBe(false);
      expect(advise(request(onHost, deployment('auto')), review).allowed).toBe(false);
    });
  });

  it('asks for the pods that the label of the workload will make burst', () => {
    expect(advise(request(deployment(undefined, 'enforce')), () => [unable]).allowed).toBe(false);
  });

  it('warns of a Service that makes its load balancer probe a port of its own', () => {
    const annotations = { 'kubernetes.io/elb.health-check-option': '{"monitor_port":"22"}' };
    const service: Service = { kind: 'Service', metadata: { name: 'web', namespace: 'a', annotations } };
    expect(advise(request(service), () => [unable])).toEqual({
      allowed: true,
      warnings: [expect.stringContaining('probe port 22')],
    });
    expect(advise(request({ ...service, metadata: { name: 'web' } }), () => [unable])).toEqual({
      allowed: true,
      warnings: [],
    });
  });

  it('asks nobody about pods that do not burst', () => {
    for (const value of [undefined, 'off', 'Auto']) {
      expect(advise(request(deployment(value)), () => [unable])).toEqual({ allowed: true, warnings: [] });
    }
  });

  it('says how many pods a changed label restarts', () => {
    const { warnings } = advise(request(deployment('auto', 'auto'), deployment(undefined)), () => []);
    expect(warnings).toEqual(['the changed burst label goes into the pod template: this restarts 3 pods']);
  });

  it('says it once, for the workload, and not again for each of its pods', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: '1', controller: true };
    const pod: Pod = { kind: 'Pod', metadata: { labels: { [label]: 'auto' }, ownerReferences: [owner] } };
    expect(advise(request(pod), () => [able]).warnings).toEqual([]);
  });
});
