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
