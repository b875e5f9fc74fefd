import type { Node, Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { realNode, testPod, unschedulable } from '../testing/objects.ts';
import { type Turn, turnOf } from './overflow.ts';
import { policyOf } from './pod-policy.ts';

const since = '2026-01-01T00:00:00Z';
const sinceMs = Date.parse(since);

function turn(pod: Pod, nodes: readonly Node[] = [realNode()], delayMs = 0, nowMs = sinceMs): Turn {
  return turnOf(pod, policyOf(pod), { nowMs, delayMs, realNodes: () => nodes });
}

const scheduler = { kind: 'scheduler' };
const overflow = { kind: 'ours', why: 'overflow' };
const enforce = { kind: 'ours', why: 'enforce' };

describe.each(['localPrefer', 'auto'])('a pod with %s', (burst) => {
  const pending = testPod({ burst });
  const stuck = unschedulable(pending, since);

  it('is left to the scheduler until that has given up', () => {
    expect(turn(pending)).toEqual(scheduler);
    expect(turn(stuck)).toEqual(overflow);
  });

  it('waits for the delay that is configured', () => {
    expect(turn(stuck, [realNode()], 5000, sinceMs + 4999)).toEqual({ kind: 'later', atMs: sinceMs + 5000 });
    expect(turn(stuck, [realNode()], 5000, sinceMs + 5000)).toEqual(overflow);
  });

  it('stays while a preemption is under way for it', () => {
    expect(turn(unschedulable(pending, since, { nominatedNodeName: 'node-1' }))).toEqual(scheduler);
  });

  it('stays while it is gated, or in a group that only its scheduler can place', () => {
    const gated = testPod({ burst, spec: { schedulingGates: [{ name: 'example.com/quota' }] } });
    expect(turn(unschedulable(gated))).toEqual(scheduler);
    const grouped = testPod({ burst, spec: { schedulingGroup: { podGroupName: 'train' } } });
    expect(turn(unschedulable(grouped))).toEqual(scheduler);
  });

  it('stays when another reason than room keeps it from the real nodes', () => {
    const picky = unschedulable(testPod({ burst, spec: { nodeSelector: { disk: 'ssd' } } }));
    expect(turn(picky)).toEqual({ kind: 'elsewhere' });
    expect(turn(picky, [realNode(), realNode('b', { labels: { disk: 'ssd' } })])).toEqual(overflow);
    const tainted = realNode('gpu', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } });
    expect(turn(stuck, [tainted])).toEqual({ kind: 'elsewhere' });
  });

  it.each([
    ['there is none', []],
    ['all are cordoned', [realNode('a', { spec: { unschedulable: true } })]],
    [
      'all are broken or belong to the control plane',
      [
        realNode('a', { spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }] } }),
        realNode('b', { spec: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] } }),
      ],
    ],
  ])('overflows when no real node takes pods at all: %s', (_, nodes) => {
    expect(turn(unschedulable(testPod({ burst, spec: { nodeSelector: { disk: 'ssd' } } })), nodes)).toEqual(overflow);
  });

  it('is left alone when it is bound, ending or ended', () => {
    expect(turn(unschedulable(testPod({ burst, spec: { nodeName: 'node-1' } })))).toEqual(scheduler);
    expect(turn(unschedulable(testPod({ burst, metadata: { deletionTimestamp: since } })))).toEqual(scheduler);
    expect(turn(unschedulable(pending, since, { phase: 'Failed' }))).toEqual(scheduler);
  });
});

describe('a pod with enforce', () => {
  it('is ours at once when it names our scheduler', () => {
    expect(turn(testPod({ burst: 'enforce', spec: { schedulerName: 'spillway' } }))).toEqual(enforce);
  });

  it('is ours when its own scheduler has given up, whatever the real nodes are', () => {
    const pod = testPod({ burst: 'enforce', spec: { nodeSelector: { type: 'virtual-kubelet' } } });
    expect(turn(pod)).toEqual(scheduler);
    expect(turn(unschedulable(pod))).toEqual(enforce);
  });

  it('is not ours before its gates are lifted', () => {
    const spec = { schedulerName: 'spillway', schedulingGates: [{ name: 'spillway.dev/schedule-profile' }] };
    expect(turn(testPod({ burst: 'enforce', spec }))).toEqual(scheduler);
  });
});

describe('who may burst', () => {
  it.each([
    ['no label', undefined],
    ['off', 'off'],
    ['a value that does not exist', 'Auto'],
  ])('not a pod with %s', (_, burst) => {
    expect(turn(unschedulable(testPod(burst === undefined ? {} : { burst })))).toEqual(scheduler);
  });

  it('is said by the label or its alias, also on behalf of a profile, else by the scheduler name', () => {
    expect(policyOf(testPod({ burst: 'off', spec: { schedulerName: 'spillway' } }))).toMatchObject({ value: 'off' });
    expect(policyOf(testPod({ metadata: { labels: { 'bursting.cci.io/burst-to-cci': 'auto' } } }))).toEqual({
      value: 'auto',
      source: 'label bursting.cci.io/burst-to-cci',
    });
    const annotations = { 'scheduling.cci.io/managed-by-profile': 'web' };
    expect(
      policyOf(
        testPod({ burst: 'auto', metadata: { labels: { 'virtual-kubelet.io/burst-to-cci': 'auto' }, annotations } }),
      ),
    ).toEqual({
      value: 'auto',
      source: 'ScheduleProfile web',
    });
    expect(policyOf(testPod({ spec: { schedulerName: 'spillway' } }))).toMatchObject({ value: 'enforce' });
    expect(policyOf(testPod())).toBeUndefined();
  });
});
