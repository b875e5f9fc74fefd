import type { Lease, Node } from '@spillway/kube';
import { expect, it } from 'vitest';
import { configOf, namespace, simulatedPool } from '../addon/testing/installations.ts';
import { labelsOf } from '../podspec/installation.ts';
import { addOnNode, addOnProvider, noAddOn } from '../cce-addon/testing/add-on-objects.ts';
import { scheduleProfileCrd } from '../placement/rules/schedule-profile-crd.ts';
import { ownsDefinition, type PreflightView, preflightFindings } from './preflight.ts';

const nowMs = Date.parse('2026-01-01T00:01:00Z');
const view = (more: Partial<PreflightView> = {}, written = simulatedPool): PreflightView => ({
  config: configOf(written).config,
  namespace,
  stateClaim: undefined,
  serverVersion: 'v1.37.2',
  abilities: { mutatingPolicies: true, validatingPolicies: true },
  space: undefined,
  deployment: undefined,
  binding: undefined,
  nodes: [],
  missingSecrets: [],
  addOn: noAddOn,
  nowMs,
  ...more,
});
const found = (more: Partial<PreflightView> = {}, written = simulatedPool): string[] =>
  preflightFindings(view(more, written)).map(({ severity, message }) => `${severity}: ${message}`);

const own: Node = {
  kind: 'Node',
  metadata: { name: 'virtual-kubelet' },
  spec: { providerID: 'spillway://c/virtual-kubelet' },
};
const renewed = (renewTime: string): Lease => ({ spec: { holderIdentity: 'a', leaseDurationSeconds: 40, renewTime } });
const deployment = (labels: Record<string, string>): PreflightView['deployment'] => ({
  metadata: { name: 'spillway', labels },
  spec: { replicas: 1, selector: {}, template: {} },
});

it('an empty cluster is fine', () => {
  expect(found()).toEqual([]);
});

it('a cluster that is too old is refused', () => {
  expect(found({ serverVersion: 'v1.27.4' })).toEqual([
    'error: the cluster has Kubernetes v1.27.4, and Spillway needs 1.28 or newer',
  ]);
  expect(found({ serverVersion: 'v1.28.15-r0-28.0.4' })).toEqual([]);
});

it('in a cluster without admission policies, webhooks have to carry the rules, and the account may do more', () => {
  const abilities = { mutatingPolicies: false, validatingPolicies: false };
  expect(found({ abilities })).toEqual([expect.stringMatching(/^warning: .* may patch any pod/)]);
  expect(found({ abilities }, `admission: {enabled: false}\n${simulatedPool}`)).toContainEqual(
    expect.stringMatching(/^error: .* admission.enabled is false/),
  );
});

it('somebody who serves the same node is stopped first; our own pods, and one that has ended, are fine', () => {
  const serving = [{ node: own, lease: renewed('2026-01-01T00:00:55Z') }];
  expect(found({ nodes: serving })).toEqual([
    expect.stringMatching(/^error: somebody serves the virtual node virtual-kubelet/),
  ]);
  expect(found({ nodes: serving, deployment: deployment(labelsOf('spillway')) })).toEqual([]);
  expect(found({ nodes: [{ node: own, lease: renewed('2026-01-01T00:00:05Z') }] })).toEqual([]);
});

it('a machine with the name of a virtual node stays a machine', () => {
  const machine: Node = { kind: 'Node', metadata: { name: 'virtual-kubelet' } };
  expect(found({ nodes: [{ node: machine, lease: undefined }] })).toEqual([
    expect.stringMatching(/^error: Node virtual-kubelet was not created by Spillway/),
  ]);
});

it('what belongs to others is not taken', () => {
  expect(found({ deployment: deployment({}) })).toEqual([
    'error: the Deployment spillway-system/spillway was not created by Spillway',
  ]);
  const roleRef = { apiGroup: '', kind: 'ClusterRole', name: 'spillway-controller' };
  const subjects = [{ kind: 'ServiceAccount', name: 'spillway', namespace: 'other' }];
  expect(found({ binding: { roleRef, subjects } })).toEqual([
    'error: the installation "spillway" has its account in the namespace other',
  ]);
});

it('a namespace that is going is waited for', () => {
  const space = { metadata: { name: namespace, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(found({ space })).toEqual(['error: the namespace spillway-system is being deleted']);
});

it('what is lost with the pod is said, and which Secrets are missing', () => {
  const ledger = `ledger: {directory: /var/lib/spillway/ledger}\n${simulatedPool}`;
  expect(found({}, ledger)).toEqual([expect.stringMatching(/^warning: ledger.directory: .*ends with each pod/)]);
  expect(found({ stateClaim: 'ledger' }, ledger)).toEqual([]);
  expect(found({ missingSecrets: ['login'] })).toEqual(['error: the Secret spillway-system/login does not exist']);
});

it('the CCE add-on is told, and neither it nor the definition of its profiles is touched', () => {
  const addOn = { ...noAddOn, deployments: [addOnProvider], nodes: [addOnNode] };
  expect(found({ addOn })).toEqual([
    expect.stringMatching(
      /^warning: the CCE add-on virtual-kubelet is in this cluster, with 0 pods on its node: Deployment kube-system\/cceaddon-virtual-kubelet-virtual-kubelet, Node bursting-node\. Spillway leaves all of it alone/,
    ),
  ]);
  const { labels: _ours, ...metadata } = scheduleProfileCrd.metadata ?? {};
  const withDefinition = { ...noAddOn, definitions: [{ ...scheduleProfileCrd, metadata }] };
  expect(ownsDefinition({ addOn: withDefinition })).toBe(false);
  expect(found({ addOn: withDefinition })).toEqual([
    expect.stringMatching(/^warning: the CustomResourceDefinition .* it is used as it is, and stays/),
  ]);
  expect(ownsDefinition({ addOn: noAddOn })).toBe(true);
});
