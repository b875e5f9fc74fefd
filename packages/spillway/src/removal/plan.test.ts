import type { KubeObject } from '@spillway/kube';
import { expect, test } from 'vitest';
import { scheduleProfileCrd } from '../placement/rules/schedule-profile-crd.ts';
import type { ClusterView } from './cluster-view.ts';
import { foundInCluster, foundInPool, notesOf } from './plan.ts';
import { withoutRemains } from './report.ts';

const object = (kind: string, name: string): KubeObject => ({ kind, metadata: { name } });
const nothing: ClusterView = {
  admission: [],
  workload: [],
  rights: [],
  nodes: [],
  foreignNodes: [],
  otherNodes: [],
  pods: [],
  waiting: [],
  leases: [],
  signingRequests: [],
  records: [],
  otherRecords: [],
  namespaces: [],
  definition: undefined,
  profiles: [],
  hibernating: [],
  neighbours: [],
};
const crds = { definition: scheduleProfileCrd, profiles: [object('ScheduleProfile', 'web')] };
const kinds = (items: readonly { readonly kind: string }[]): string[] => items.map(({ kind }) => kind);

test('ScheduleProfiles go with their definition, and people are told', () => {
  const view = { ...nothing, ...crds };
  expect(kinds(foundInCluster(view, { keepCrds: false }).ours)).toEqual([
    'CustomResourceDefinition',
    'ScheduleProfile',
  ]);
  expect(notesOf(view, [], { keepCrds: false })).toEqual([expect.stringContaining('1 ScheduleProfiles go with')]);
});

test('the record of a Helm release goes with the installation, unless Spillway is only a part of that', () => {
  const record = { kind: 'Secret', metadata: { namespace: 'n', name: 'r.v1', labels: { name: 'r' } } };
  expect(kinds(foundInCluster({ ...nothing, records: [record] }, { keepCrds: false }).ours)).toEqual(['Secret']);
  const shared = foundInCluster({ ...nothing, otherRecords: [record] }, { keepCrds: false });
  expect(shared.ours).toEqual([]);
  expect(shared.others).toMatchObject([{ name: 'r.v1', remedy: expect.stringContaining('helm uninstall r -n n') }]);
});

test('both stay when they are to be kept, or another installation uses them', () => {
  const kept = foundInCluster({ ...nothing, ...crds }, { keepCrds: true });
  expect([kept.ours, kinds(kept.others)]).toEqual([[], ['CustomResourceDefinition', 'ScheduleProfile']]);
  const shared = foundInCluster({ ...nothing, ...crds, neighbours: ['second'] }, { keepCrds: false });
  expect(shared.ours).toEqual([]);
  expect(shared.others[0]?.why).toBe('used by the installation second');
});

test('a node that is somebody else’s is left alone', () => {
  const found = foundInCluster(
    { ...nothing, foreignNodes: [{ metadata: { name: 'machine' }, kind: 'Node' }] },
    { keepCrds: false },
  );
  expect(found).toMatchObject({ ours: [], stays: [], others: [{ kind: 'Node', name: 'machine' }] });
});

test('a workload that hibernates is left alone, and it is said how to get it back', () => {
  const { ours, stays, others } = foundInCluster(
    { ...nothing, hibernating: [object('Deployment', 'web')] },
    { keepCrds: false },
  );
  expect([ours, stays]).toEqual([[], []]);
  expect(others).toMatchObject([
    { kind: 'Deployment', name: 'web', remedy: expect.stringContaining('spillway resume') },
  ]);
});

test('instances without a pod in the cluster are told: they may be those of another', () => {
  const ref = { uid: 'u1', namespace: 'shop', name: 'web' };
  const instance = {
    ref,
    state: 'running',
    podIPs: [],
    startTime: '',
    containerStatuses: [],
    initContainerStatuses: [],
  } as const;
  const pool = { pool: 'cci', instances: [instance], dismantled: { removed: [], remains: [], others: [] } };
  expect(notesOf(nothing, [pool], { keepCrds: false })).toEqual([
    expect.stringContaining('pool cci: 1 instances without a pod in this cluster'),
  ]);
  const pods = [{ metadata: { uid: 'u1', namespace: 'shop', name: 'web' } }];
  expect(notesOf({ ...nothing, pods }, [pool], { keepCrds: false })).toEqual([expect.stringMatching(/^Pod web/)]);
});

test('a backend that cannot be looked at is not clean', () => {
  expect(foundInPool({ pool: 'cci', trouble: 'no route to host' })).toMatchObject({
    ours: [],
    stays: [{ pool: 'cci', kind: 'Backend', why: 'cannot be looked at: no route to host' }],
  });
});

test('what was removed and is there all the same was not removed', () => {
  const items = [
    { kind: 'Node', name: 'a' },
    { kind: 'Node', name: 'a' },
    { kind: 'Node', name: 'b' },
  ];
  expect(withoutRemains(items, [{ kind: 'Node', name: 'b' }])).toEqual([{ kind: 'Node', name: 'a' }]);
});
