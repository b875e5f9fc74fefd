import type { Node } from '@spillway/kube';
import { expect, it } from 'vitest';
import { scheduleProfileCrd } from '../placement/rules/schedule-profile-crd.ts';
import { isAddOnDefinition, isAddOnDeployment, isAddOnNode, isAddOnWebhook } from './marks.ts';
import { addOnDeployment, addOnNode, addOnWebhook } from './testing/add-on-objects.ts';

const named = (name: string, taints: string[] = []): Node => ({
  metadata: { name },
  spec: { taints: taints.map((key) => ({ key, effect: 'PreferNoSchedule' })) },
});

const called = (name: string, namespace = 'kube-system'): boolean =>
  isAddOnDeployment({ ...addOnDeployment('webhook'), metadata: { namespace, name } });

it('the add-on’s node is known in all its versions', () => {
  expect(isAddOnNode(addOnNode)).toBe(true);
  expect(isAddOnNode(named('virtual-kubelet', ['virtual-kubelet.io/huawei']))).toBe(true);
});

it('a virtual node of Spillway with the same labels and taints is not the add-on’s, nor is anybody else’s', () => {
  const { metadata = {}, spec = {} } = addOnNode;
  const annotations = { 'spillway.dev/backend': 'cci-v1' };
  expect(isAddOnNode({ metadata, spec: { ...spec, providerID: 'spillway://c/bursting-node' } })).toBe(false);
  expect(isAddOnNode({ spec, metadata: { ...metadata, annotations } })).toBe(false);
  expect(isAddOnNode(named('worker-1'))).toBe(false);
  expect(isAddOnNode({ metadata: { name: 'other', labels: { type: 'virtual-kubelet' } } })).toBe(false);
});

it('its Deployments have its name, with or without the prefix of newer versions, in kube-system', () => {
  expect(isAddOnDeployment(addOnDeployment('webhook'))).toBe(true);
  expect(called('bursting-cceaddon-virtual-kubelet-resource-syncer')).toBe(true);
  expect(called('cceaddon-virtual-kubelet-webhook', 'default')).toBe(false);
  expect(called('my-virtual-kubelet')).toBe(false);
});

it('its webhooks are known by their name, their Service, or what they call themselves', () => {
  const { webhooks = [], metadata } = addOnWebhook;
  const [webhook] = webhooks;
  if (webhook === undefined) throw new Error('it has one');
  const renamed = { metadata: { name: 'other' }, webhooks: [{ ...webhook, name: 'a.example.com' }] };
  const remote = { metadata: { name: 'other' }, webhooks: [{ ...webhook, clientConfig: { url: 'https://a' } }] };
  expect([{ metadata: metadata ?? {} }, renamed, remote].map(isAddOnWebhook)).toEqual([true, true, true]);
  const strange = {
    metadata: { name: 'other' },
    webhooks: [{ ...webhook, name: 'a.b.c', clientConfig: { url: 'https://a' } }],
  };
  expect(isAddOnWebhook(strange)).toBe(false);
});

it('a definition with the same name is Spillway’s if Spillway has labelled it', () => {
  const { labels: _ours, ...metadata } = scheduleProfileCrd.metadata ?? {};
  expect(isAddOnDefinition({ ...scheduleProfileCrd, metadata })).toBe(true);
  expect(isAddOnDefinition(scheduleProfileCrd)).toBe(false);
});
