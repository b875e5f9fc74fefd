import {
  isNotFound,
  type KubeClient,
  type MutatingWebhook,
  mutatingWebhookConfigurations,
  type ValidatingWebhook,
  validatingWebhookConfigurations,
} from '@spillway/kube';
import { configurationNames, profilesEntry, selectNamespaces } from './configurations.ts';

export interface Trust {
  /** PEM texts of all authorities whose certificates may be shown. */
  readonly authorities: readonly string[];
  readonly profileNamespaces: readonly string[];
}

/**
 * Writes into the webhook configurations what only the running server knows: whom to trust, and which namespaces have
 * profiles. A configuration that is not there is somebody's choice.
 */
export async function writeTrust(
  client: Pick<KubeClient, 'resource'>,
  installation: string,
  trust: Trust,
  signal: AbortSignal,
): Promise<void> {
  const { mutating, advisory } = configurationNames(installation);
  const resources = [
    { resource: client.resource(mutatingWebhookConfigurations), name: mutating },
    { resource: client.resource(validatingWebhookConfigurations), name: advisory },
  ];
  for (const { resource, name } of resources) {
    const configuration = await resource.get({ name }, { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const webhooks = changedEntries(configuration?.webhooks ?? [], trust);
    if (webhooks.length > 0) await resource.patch({ name }, { type: 'strategic', body: { webhooks } }, { signal });
  }
}

/** Of each entry that has to change, its name and what changes, as a strategic merge patch. */
export function changedEntries(
  webhooks: readonly (MutatingWebhook | ValidatingWebhook)[],
  { authorities, profileNamespaces }: Trust,
): readonly object[] {
  const caBundle = Buffer.from(authorities.join('')).toString('base64');
  const namespaceSelector = selectNamespaces(profileNamespaces);
  return webhooks.flatMap((webhook) => {
    const { name, clientConfig } = webhook;
    const byProfiles = name === profilesEntry;
    const selects =
      !byProfiles ||
      JSON.stringify(webhook.namespaceSelector?.matchExpressions) ===
        JSON.stringify(namespaceSelector.matchExpressions);
    if (clientConfig.caBundle === caBundle && selects) return [];
    return [{ name, clientConfig: { caBundle }, ...(byProfiles ? { namespaceSelector } : {}) }];
  });
}
