import type { KubeObject, MutatingWebhookConfiguration } from '@spillway/kube';
import { expect, it } from 'vitest';
import { profilesEntry } from '../admission/configurations.ts';
import { objectsOf, simulatedPool } from '../addon/testing/installations.ts';
import { keepingLiveFields } from './live-fields.ts';

const isWebhooks = (object: KubeObject): object is MutatingWebhookConfiguration =>
  object.kind === 'MutatingWebhookConfiguration';
const selectorIn = (object: KubeObject | undefined): unknown =>
  object && isWebhooks(object)
    ? object.webhooks?.find(({ name }) => name === profilesEntry)?.namespaceSelector
    : object;

const abilities = { mutatingPolicies: false, validatingPolicies: true };
const wanted = objectsOf(simulatedPool, { abilities }).find(isWebhooks) ?? {};

it('namespaces that have ScheduleProfiles stay known when an installation is applied again', () => {
  const live = structuredClone(wanted);
  const selector = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['shop'] }] };
  if (isWebhooks(live)) for (const each of live.webhooks ?? []) each.namespaceSelector = selector;
  expect(selectorIn(keepingLiveFields(wanted, live))).toEqual(selector);
});

it('no namespace has any when it is applied for the first time', () => {
  expect(keepingLiveFields(wanted, undefined)).toBe(wanted);
  expect(selectorIn(wanted)).toMatchObject({ matchExpressions: [{ operator: 'DoesNotExist' }] });
});
