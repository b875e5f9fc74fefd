import type { Pod } from '@spillway/kube';
import { expect, test } from 'vitest';
import { ownerLine, ownersOf } from './owners.ts';

const pod = (name: string, controller?: { kind: string; name: string }, hash?: string): Pod => ({
  metadata: {
    namespace: 'shop',
    name,
    ...(hash !== undefined && { labels: { 'pod-template-hash': hash } }),
    ...(controller && { ownerReferences: [{ apiVersion: 'v1', uid: 'u', controller: true, ...controller }] }),
  },
});

test('says for each owner what becomes of its pods', () => {
  const found = ownersOf([
    pod('web-6b8-1', { kind: 'ReplicaSet', name: 'web-6b8' }, '6b8'),
    pod('web-6b8-2', { kind: 'ReplicaSet', name: 'web-6b8' }, '6b8'),
    pod('report-x', { kind: 'Job', name: 'report' }),
    pod('lonely'),
    pod('agent-x', { kind: 'DaemonSet', name: 'agent' }),
  ]);
  expect(found.map(ownerLine)).toEqual([
    '1 pod of DaemonSet agent in shop: placeholders, nothing runs for them',
    '2 pods of Deployment web in shop: their owner creates them again, without bursting',
    '1 pod of Job report in shop: their owner creates them again, without bursting',
    'Pod lonely in shop: it has no owner, so that nobody creates it again',
  ]);
});
