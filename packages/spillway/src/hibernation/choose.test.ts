import { expect, test } from 'vitest';
import type { ScheduleProfile } from '../placement/rules/schedule-profile.ts';
import { burstPod, workload } from './testing/objects.ts';
import { choose, type Facts, fateOf } from './choose.ts';

const nothing: Facts = {
  objects: [],
  selected: undefined,
  profiles: [],
  taintKeys: new Set(['virtual-kubelet.io/burst-to-cci']),
  nodes: [],
  pods: [],
};
const names = (facts: Partial<Facts>): string[] =>
  choose({ ...nothing, ...facts }).workloads.map(({ kind, name }) => `${kind} ${name}`);

test('chosen are those that may burst by their label, and no others', () => {
  const objects = [
    workload('Deployment', { name: 'a', label: 'auto' }),
    workload('StatefulSet', { name: 'b', label: 'enforce' }),
    workload('CronJob', { name: 'c', label: 'localPrefer' }),
    workload('Deployment', { name: 'd', label: 'off' }),
    workload('Deployment', { name: 'e' }),
  ];
  expect(names({ objects })).toEqual(['CronJob c', 'Deployment a', 'StatefulSet b']);
});

const profile = (of: string): ScheduleProfile => ({
  metadata: { namespace: of, name: 'web' },
  spec: { objectLabels: { matchLabels: { app: 'a' } }, strategy: 'enforce' },
});

test('chosen are those for which a ScheduleProfile of their namespace decides', () => {
  const objects = [workload('Deployment', { name: 'a' }), workload('Deployment', { name: 'b' })];
  expect(names({ objects, profiles: [profile('shop')] })).toEqual(['Deployment a']);
  expect(names({ objects, profiles: [profile('other')] })).toEqual([]);
  expect(choose({ ...nothing, objects, profiles: [profile('shop')] }).workloads[0]?.burst).toBe('enforce');
});

test('chosen are those whose pods burst now, whatever their template says: a Deployment by its ReplicaSet', () => {
  const deployment = workload('Deployment', { name: 'a' });
  const owner = { kind: 'Deployment', name: 'a', uid: deployment.metadata?.uid ?? '' };
  const set = workload('ReplicaSet', { name: 'a-1', owner, label: 'auto' });
  const pods = [burstPod('a-1-x', { kind: 'ReplicaSet', name: 'a-1', uid: set.metadata?.uid ?? '' })];
  const { workloads, strays } = choose({ ...nothing, objects: [deployment, set], pods });
  expect(workloads.map(({ kind, name, burst, pods: found }) => [kind, name, burst, found.length])).toEqual([
    ['Deployment', 'a', 'own', 1],
  ]);
  expect(strays).toEqual([]);
});

test('Spillway itself is never chosen', () => {
  const labels = { 'app.kubernetes.io/name': 'spillway' };
  expect(names({ objects: [workload('Deployment', { label: 'auto', labels })] })).toEqual([]);
});

test('a selector chooses by the UIDs that the API server has found, and the Jobs of a CronJob with it', () => {
  const cron = workload('CronJob', { name: 'a', label: 'auto' });
  const uid = cron.metadata?.uid ?? '';
  const objects = [
    cron,
    workload('Job', { name: 'a-1', label: 'auto', owner: { kind: 'CronJob', name: 'a', uid } }),
    workload('Deployment', { name: 'b', label: 'auto' }),
  ];
  const chosen = choose({ ...nothing, objects, selected: new Set([uid]) }).workloads;
  expect(chosen.map(({ kind, name, controller }) => [kind, name, controller])).toEqual([
    ['CronJob', 'a', undefined],
    ['Job', 'a-1', undefined],
  ]);
});

test('pods that no workload of these has made are strays, unless they have ended or nothing runs for them', () => {
  const rollout = { kind: 'Rollout', name: 'r', uid: 'r' };
  const pods = [
    burstPod('alone'),
    burstPod('rolled', rollout),
    burstPod('done', undefined, 'Succeeded'),
    burstPod('placeholder', { kind: 'DaemonSet', name: 'd', uid: 'd' }),
  ];
  const { strays } = choose({ ...nothing, pods });
  expect(strays.map(({ metadata }) => metadata?.name)).toEqual(['alone', 'rolled']);
  const fates = (moves: boolean, asked: boolean) => strays.map((pod) => fateOf(pod, { moves, asked }).kind);
  expect(fates(false, false)).toEqual(['stay', 'stay']);
  expect(fates(true, false)).toEqual(['stay', 'end']);
  expect(fates(false, true)).toEqual(['end', 'end']);
});
