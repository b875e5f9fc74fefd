import type { Pod, PodSpec } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { type IntakeNode, intakeRefusals } from './intake.ts';
import { burstTaint, preferTaint } from '../../podspec/contract.ts';
import { testPod } from '../testing/objects.ts';

const node = {
  name: 'vk-1',
  taints: [burstTaint, preferTaint],
  labels: { type: 'virtual-kubelet' },
};

const everything: Partial<PodSpec> = { tolerations: [{ operator: 'Exists' }] };

function scheduled(spec: Partial<PodSpec>, metadata: Pod['metadata'] = {}): Pod {
  return testPod({
    spec,
    metadata,
    status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] },
  });
}

const codes = (pod: Pod, on: IntakeNode = node): readonly string[] => intakeRefusals(pod, on).map(({ code }) => code);

function affinity(expression: { key: string; operator: string; values?: string[] }): Partial<PodSpec> {
  return {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [expression] }] },
      },
    },
  };
}

describe('a pod that tolerates everything', () => {
  it('and asks for nothing is not run', () => {
    expect(codes(scheduled(everything))).toEqual(['did-not-ask']);
  });

  it('is run on a node that keeps nobody away', () => {
    expect(codes(scheduled(everything), { ...node, taints: [] })).toEqual([]);
    expect(codes(scheduled(everything), { ...node, taints: [preferTaint] })).toEqual([]);
  });

  it.each<[string, Pod]>([
    ['has the burst label', scheduled(everything, { labels: { 'virtual-kubelet.io/burst-to-cci': 'enforce' } })],
    ['has the label by its alias', scheduled(everything, { labels: { 'bursting.cci.io/burst-to-cci': 'auto' } })],
    [
      'also tolerates our taint by name',
      scheduled({
        tolerations: [{ operator: 'Exists' }, { key: 'virtual-kubelet.io/burst-to-cci', operator: 'Exists' }],
      }),
    ],
    ['selects virtual nodes', scheduled({ ...everything, nodeSelector: { type: 'virtual-kubelet' } })],
    ['selects the node', scheduled({ ...everything, nodeSelector: { 'kubernetes.io/hostname': 'vk-1' } })],
    [
      'has an affinity to virtual nodes',
      scheduled({ ...everything, ...affinity({ key: 'type', operator: 'In', values: ['virtual-kubelet'] }) }),
    ],
    ['was created with the name of the node', testPod({ spec: everything })],
  ])('and %s is run', (_, pod) => {
    expect(codes(pod)).toEqual([]);
  });

  it.each<[string, Pod]>([
    ['is labelled off', scheduled(everything, { labels: { 'virtual-kubelet.io/burst-to-cci': 'off' } })],
    ['selects another node', scheduled({ ...everything, nodeSelector: { 'kubernetes.io/hostname': 'vk-2' } })],
    ['selects some other label', scheduled({ ...everything, nodeSelector: { disk: 'ssd' } })],
    [
      'avoids virtual nodes',
      scheduled({ ...everything, ...affinity({ key: 'type', operator: 'NotIn', values: ['virtual-kubelet'] }) }),
    ],
  ])('and %s is not run', (_, pod) => {
    expect(codes(pod)).toEqual(['did-not-ask']);
  });
});

describe('any other pod', () => {
  it('that got here is run', () => {
    expect(codes(scheduled({}))).toEqual([]);
    expect(codes(scheduled({ tolerations: [{ key: 'other', operator: 'Exists' }] }))).toEqual([]);
  });

  it('of a DaemonSet is not run, whatever it asks for', () => {
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'ds', uid: 'u', controller: true }];
    const labels = { 'virtual-kubelet.io/burst-to-cci': 'enforce' };
    expect(codes(scheduled(everything, { ownerReferences, labels }))).toEqual(['daemonset-pod']);
  });
});
