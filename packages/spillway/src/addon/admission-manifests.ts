import type { MutatingWebhookConfiguration, Service, ValidatingWebhookConfiguration } from '@spillway/kube';
import { advisoryConfiguration, mutatingConfiguration, type WebhookAddress } from '../admission/configurations.ts';
import { labelsOf, selectorOf } from '../podspec/installation.ts';
import { mutatingPolicies, type PolicyManifest, unknownValuePolicy } from '../placement/rules/policies.ts';

export interface AdmissionManifestOptions {
  readonly installation: string;
  readonly carrier: 'policy' | 'webhook';
  readonly address: WebhookAddress;
  /** Of the webhook server. */
  readonly port: number;
  /** The webhooks are served; without them the policies stand alone. */
  readonly served: boolean;
  /** Keys of the taints of the pools' nodes. */
  readonly taintKeys: readonly string[];
}

type Manifest = PolicyManifest | MutatingWebhookConfiguration | ValidatingWebhookConfiguration | Service;

/** What the API server has to be told so that the rules are carried out. In the order in which it can be applied. */
export function admissionManifests(options: AdmissionManifestOptions): readonly Manifest[] {
  const { installation, carrier, address, port, served, taintKeys } = options;
  const webhooks = [
    ...('service' in address ? [service(installation, address.service, port)] : []),
    mutatingConfiguration(installation, { address, rules: carrier === 'webhook', taintKeys }),
    advisoryConfiguration(installation, address),
  ];
  return [
    ...(carrier === 'policy' ? [...mutatingPolicies(installation), ...unknownValuePolicy(installation)] : []),
    ...(carrier === 'webhook' || served ? webhooks : []),
  ];
}

function service(
  installation: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  port: number,
): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: labelsOf(installation) },
    spec: { selector: selectorOf(installation), ports: [{ name: 'https', port: 443, targetPort: port }] },
  };
}
