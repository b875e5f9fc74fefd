import type { CertificateSigningRequest, Deployment, Lease, Node, Pod } from '@spillway/kube';
import { expect, it } from 'vitest';
import { type PoolRollout, rolloutVerdict, type RolloutView } from './rollout.ts';

const deployment = (status: Deployment['status'] = {}): Deployment => ({
  metadata: { name: 'spillway', generation: 2 },
  spec: { replicas: 2, selector: {}, template: {} },
  status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...status },
});
const ready = { type: 'Ready', status: 'True' };
const pod = (name: string, status: Pod['status'] = { conditions: [ready] }, metadata: Pod['metadata'] = {}): Pod => ({
  metadata: { ...metadata, name },
  status,
});
const lease = (holderIdentity: string): Lease => ({ spec: { holderIdentity } });
const node: Node = { metadata: { name: 'vk' }, status: { conditions: [ready] } };
const pool = (more: Partial<PoolRollout> = {}): PoolRollout => ({
  name: 'cci',
  nodeName: 'vk',
  lease: lease('spillway-1_5be3a0f2-0000'),
  node,
  ...more,
});
const view = (more: Partial<RolloutView> = {}): RolloutView => ({
  deployment: deployment(),
  pods: [pod('spillway-1'), pod('spillway-2')],
  pools: [pool()],
  signingRequests: [],
  ...more,
});
const waitsFor = (more: Partial<RolloutView>): readonly string[] => {
  const verdict = rolloutVerdict(view(more));
  return verdict.kind === 'waiting' ? verdict.reasons : [verdict.kind];
};

it('is ready when all replicas are new and ready, and the leader serves its node', () => {
  expect(rolloutVerdict(view())).toEqual({ kind: 'ready' });
});

it('is not ready while pods of the version before are there, also as leaders', () => {
  expect(waitsFor({ deployment: deployment({ replicas: 3 }) })).toEqual(['still there of the version before: 1 pod']);
  expect(waitsFor({ deployment: deployment({ observedGeneration: 1 }) })).toEqual([
    'the Deployment was not looked at yet',
  ]);
  const going = pod('spillway-0', { conditions: [ready] }, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  expect(waitsFor({ pods: [going, pod('spillway-1')], pools: [pool({ lease: lease('spillway-0_a') })] })).toEqual([
    'pool cci: no pod leads it yet',
  ]);
});

it('is not ready while a pool is led by nobody, or by one that cannot serve it yet', () => {
  expect(waitsFor({ pools: [pool({ lease: undefined })] })).toEqual(['pool cci: no pod leads it yet']);
  expect(waitsFor({ pods: [pod('spillway-1', {})] })).toEqual(['pool cci: its leader, spillway-1, is not ready yet']);
  expect(waitsFor({ pools: [pool({ node: undefined })] })).toEqual(['pool cci: the virtual node vk is not ready yet']);
});

it('says which certificate an administrator has to approve', () => {
  const request: CertificateSigningRequest = {
    metadata: { name: 'csr-1' },
    spec: { username: 'system:node:vk', request: '', signerName: 'kubernetes.io/kubelet-serving' },
  };
  expect(waitsFor({ signingRequests: [request], pods: [pod('spillway-1', {})] })).toEqual([
    expect.stringContaining('kubectl certificate approve csr-1'),
  ]);
  // One of a pod that is gone.
  expect(rolloutVerdict(view({ signingRequests: [request] })).kind).toBe('ready');
  const starting = pod('spillway-1', {}, { creationTimestamp: '2026-01-01T00:00:00Z' });
  expect(waitsFor({ signingRequests: [request], pods: [starting] })).toEqual([
    'pool cci: its leader, spillway-1, is not ready yet',
  ]);
  const approved = { ...request, status: { conditions: [{ type: 'Approved', status: 'True' }] } };
  expect(waitsFor({ signingRequests: [approved], pods: [pod('spillway-1', {})] })).toEqual([
    'pool cci: its leader, spillway-1, is not ready yet',
  ]);
});

it('says why pods do not start', () => {
  const conditions = [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' }];
  expect(waitsFor({ pods: [pod('spillway-1'), pod('spillway-2', { conditions })] })).toEqual([
    'pod spillway-2: 0/1 nodes are available',
  ]);
  const pulling = { name: 'spillway', image: '', imageID: '', ready: false, restartCount: 0 };
  const containerStatuses = [{ ...pulling, state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } }];
  expect(waitsFor({ pods: [pod('spillway-1'), pod('spillway-2', { containerStatuses })] })).toEqual([
    'pod spillway-2: ImagePullBackOff: not found',
  ]);
});

const crashed = (restartCount: number, metadata: Pod['metadata'] = {}): Pod =>
  pod(
    'spillway-2',
    {
      containerStatuses: [
        {
          name: 'spillway',
          image: '',
          imageID: '',
          ready: false,
          restartCount,
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
          lastState: { terminated: { exitCode: 2 } },
        },
      ],
    },
    metadata,
  );

const of = (revision: string, creationTimestamp: string): Pod['metadata'] => ({
  labels: { 'pod-template-hash': revision },
  creationTimestamp,
});

it('has not failed when a pod of the version before does, as it is over the remains of a failed one', () => {
  const before = crashed(5, of('a', '2026-01-01T00:00:00Z'));
  const now = pod('spillway-1', {}, of('b', '2026-01-01T00:01:00Z'));
  expect(rolloutVerdict(view({ pods: [before, now] })).kind).toBe('waiting');
  expect(rolloutVerdict(view({ pods: [before], deployment: deployment({ updatedReplicas: 0 }) })).kind).toBe('waiting');
  expect(rolloutVerdict(view({ pods: [before], deployment: deployment({ observedGeneration: 1 }) })).kind).toBe(
    'waiting',
  );
});

it('has failed when a pod ends again and again, and not when it has ended once', () => {
  expect(rolloutVerdict(view({ pods: [pod('spillway-1'), crashed(1)] })).kind).toBe('waiting');
  expect(rolloutVerdict(view({ pods: [pod('spillway-1'), crashed(3)] }))).toEqual({
    kind: 'failed',
    pod: 'spillway-2',
    reason: 'pod spillway-2 has ended 4 times, with exit code 2',
  });
});
