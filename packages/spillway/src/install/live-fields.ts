import type { KubeObject, MutatingWebhookConfiguration } from '@spillway/kube';
import { profilesEntry } from '../admission/configurations.ts';

/** An object as it is to be applied where there is one already: what `spillway serve` has written since then stays. */
export function keepingLiveFields(object: KubeObject, live: KubeObject | undefined): KubeObject {
  if (!isMutating(object) || live === undefined || !isMutating(live)) return object;
  const namespaceSelector = live.webhooks?.find(({ name }) => name === profilesEntry)?.namespaceSelector;
  if (namespaceSelector === undefined) return object;
  const restored: MutatingWebhookConfiguration = {
    ...object,
    webhooks:
      object.webhooks?.map((each) => (each.name === profilesEntry ? { ...each, namespaceSelector } : each)) ?? [],
  };
  return restored;
}

const isMutating = (object: KubeObject): object is MutatingWebhookConfiguration =>
  object.kind === 'MutatingWebhookConfiguration';
