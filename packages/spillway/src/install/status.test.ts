import type { KubeObject, Lease, Node, Pod } from '@spillway/kube';
import { expect, it } from 'vitest';
import { configOf, deploymentIn, namespace, objectsOf, simulatedPool } from '../addon/testing/installations.ts';
import type { RolloutView } from './rollout.ts';
import { statusReport, type StatusReport } from './status.ts';

const ready = { type: 'Ready', status: 'True' };
const lease: Lease = { spec: { holderIdentity: 'spillway-1_5be3' } };
const pod = (name: string, nodeName: string, status: Pod['status'] = { conditions: [ready] }): Pod => ({
  metadata: { name },
  spec: { nodeName, containers: [] },
  status,
});
const node = (conditions: NonNullable<Node['status']>['conditions'] = []): Node => ({
  metadata: { name: 'virtual-kubelet' },
  status: { conditions: [ready, ...(conditions ?? [])] },
});

function statusWith(
  more: Partial<RolloutView['pools'][number]> = {},
  burstPods: readonly Pod[] = [],
  hibernating: readonly KubeObject[] = [],
): StatusReport {
  const status = { replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1 };
  const rollout: RolloutView = {
    deployment: { ...deploymentIn(objectsOf()), status },
    pods: [pod('spillway-1', 'machine')],
    pools: [{ name: 'rehearsal', nodeName: 'virtual-kubelet', lease, node: node(), ...more }],
    signingRequests: [],
  };
  return statusReport({ config: configOf(simulatedPool).config, namespace, rollout, burstPods, hibernating });
}

it('a healthy installation says who leads, and what bursts', () => {
  const running = pod('web-1', 'virtual-kubelet', { phase: 'Running' });
  const waiting = pod('web-2', 'virtual-kubelet', {});
  const local = pod('web-3', 'machine', { phase: 'Running' });
  expect(statusWith({}, [running, waiting, local])).toMatchObject({
    healthy: true,
    problems: [],
    replicas: { wanted: 1, ready: 1 },
    pods: [{ name: 'spillway-1', node: 'machine', ready: true, leads: ['rehearsal'] }],
    pools: [{ name: 'rehearsal', leader: 'spillway-1', burstPods: { Running: 1, Pending: 1 } }],
  });
});

it('an installation whose backend cannot be reached is not healthy, although its node is ready', () => {
  const unreachable = { type: 'BackendReachable', status: 'False', reason: 'PingFailed', message: 'timed out' };
  expect(statusWith({ node: node([unreachable]) })).toMatchObject({
    healthy: false,
    problems: ['pool rehearsal: BackendReachable=False, PingFailed: timed out'],
    pools: [{ ready: true }],
  });
});

it('an installation that nobody leads is not healthy', () => {
  expect(statusWith({ lease: undefined })).toMatchObject({
    healthy: false,
    problems: ['pool rehearsal: no pod leads it yet'],
  });
});

const annotations = (record: object): Record<string, string> => ({
  'spillway.dev/hibernation': JSON.stringify(record),
});

it('an installation that hibernates says so, and is healthy', () => {
  const since = '2026-11-30T22:00:00Z';
  const workloads = [{ metadata: { annotations: annotations({ since: '2026-11-30T22:00:05Z', replicas: 3 }) } }];
  const closed = {
    node: { ...node(), metadata: { annotations: annotations({ since, to: 'local', cordoned: false }) } },
  };
  expect(statusWith(closed, [], workloads)).toMatchObject({
    healthy: true,
    hibernation: { since, to: 'local', workloads: 1 },
  });
  expect(statusWith({}, [], workloads).hibernation).toEqual({ since: '2026-11-30T22:00:05Z', workloads: 1 });
  expect(statusWith().hibernation).toBeUndefined();
});
