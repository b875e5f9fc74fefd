import type { MutatingWebhookConfiguration, Service, ValidatingWebhookConfiguration } from '@spillway/kube';
import { advisoryConfiguration, mutatingConfiguration, type WebhookAddress } from '../admission/configurations.ts';
import { mutatingPolicies, type PolicyManifest, unknownValuePolicy } from '../placement/rules/policies.ts';

export interface AdmissionManifestOptions {
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
  const { carrier, address, port, served, taintKeys } = options;
  const webhooks = [
    ...('service' in address ? [service(address.service, port)] : []),
    mutatingConfiguration({ address, rules: carrier === 'webhook', taintKeys }),
    advisoryConfiguration(address),
  ];
  return [
    ...(carrier === 'policy' ? [...mutatingPolicies(), ...unknownValuePolicy()] : []),
    ...(carrier === 'webhook' || served ? webhooks : []),
  ];
}

function service({ namespace, name }: { readonly namespace: string; readonly name: string }, port: number): Service {
  const labels = { 'app.kubernetes.io/name': 'spillway' };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: { ...labels, 'app.kubernetes.io/managed-by': 'spillway' } },
    spec: { selector: labels, ports: [{ name: 'https', port: 443, targetPort: port }] },
  };
}
