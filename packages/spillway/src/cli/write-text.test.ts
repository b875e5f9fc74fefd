import { expect, it } from 'vitest';
import { parseManifest } from '../diagnosis/plan/manifest.ts';
import { planOf } from '../diagnosis/plan/plan.ts';
import type { ScheduleProfile } from '../placement/rules/schedule-profile.ts';
import { burstTaint } from '../podspec/contract.ts';
import type { Pool } from '../podspec/fit/fit.ts';
import { unknownSupport } from '../podspec/fit/support.ts';
import { writeText } from './write-text.ts';

const label = 'virtual-kubelet.io/burst-to-cci';

function told(value: string | undefined, profile?: ScheduleProfile['spec']): string[] {
  const profiles = profile === undefined ? [] : [{ metadata: { name: 'night', namespace: 'shop' }, spec: profile }];
  const claims = { claim: () => undefined, volume: () => undefined, storageClass: () => undefined };
  const labels = value === undefined ? '' : `labels: {${label}: '${value}'}`;
  const manifest = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop, ${labels}},
    spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a}]}}}}`;
  const cluster = { nodes: [], pods: [], profiles, claims, remarks: [] };
  const { workloads } = planOf({ objects: parseManifest(manifest, 'web.yaml'), pools: [pool], cluster, remarks: [] });
  return (workloads[0]?.writes ?? []).map(writeText);
}

const pool: Pool = { name: 'a', nodeName: 'vk', taints: [burstTaint], support: unknownSupport, sizing: 'none' };

const copied = (value: string): string[] => [
  `Deployment: its pod template gets the label ${label}: ${value}`,
  `Deployment gets the annotation spillway.dev/burst-label-copied: ${value}`,
];

it.each([
  ['auto', [`Pods tolerate ${label}=cci:NoSchedule`]],
  ['localPrefer', ['Pods get the annotation spillway.dev/prefer-local: true']],
  [
    'enforce',
    [
      'Pods run only on nodes with the label type=virtual-kubelet',
      `Pods tolerate ${label}=cci:NoSchedule`,
      'Pods tolerate virtual-kubelet.io/huawei:PreferNoSchedule',
      'Pods are placed by the scheduler spillway',
      'Pods tolerate node.kubernetes.io/not-ready:NoExecute without a time limit',
      'Pods tolerate node.kubernetes.io/unreachable:NoExecute without a time limit',
    ],
  ],
  ['off', ['Pods run only on nodes without the label type=virtual-kubelet']],
])('what admission writes for %s is told in sentences', (value, sentences) => {
  expect(told(value)).toEqual([...copied(value), ...sentences]);
});

it('and so is what it writes for a ScheduleProfile', () => {
  const sentences = told(undefined, {
    objectLabels: { matchLabels: { app: 'web' } },
    strategy: 'enforce',
    virtualNodes: [{ type: 'gpu' }, { type: 'big' }],
    location: { cci: { maxNum: 3 } },
  });
  expect(sentences).toContain('Pods get the annotation scheduling.cci.io/managed-by-profile: night');
  expect(sentences).toContain(
    'Pods are held back by the scheduling gate spillway.dev/schedule-profile until they have been counted',
  );
  expect(sentences).toContain('Pods run only on nodes with the label bursting.cci.io/node-type in (gpu, big)');
});

it('a label that is taken away, and a field that has no sentence, are told, too', () => {
  expect(writeText({ kind: 'Deployment', path: '/spec/template/metadata/labels/a~1b' })).toBe(
    'Deployment: its pod template loses the label a/b',
  );
  expect(writeText({ kind: 'Pod', path: '/spec/priority', value: 7 })).toBe('Pods: spec.priority becomes 7');
});
