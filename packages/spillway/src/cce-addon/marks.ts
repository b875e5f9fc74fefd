import type {
  CustomResourceDefinition,
  Deployment,
  KubeObject,
  MutatingWebhookConfiguration,
  Node,
  ValidatingWebhookConfiguration,
} from '@spillway/kube';
import { isOwnNode } from '../node/node-object.ts';
import { blockedTaint, nodeTypeLabel, preferTaint } from '../podspec/contract.ts';
import { isOfProduct } from '../podspec/installation.ts';

// By what the objects of the vendor's add-on "virtual-kubelet" are recognised, also called "CCE Cloud Bursting Engine for CCI" and
// "bursting". Names as versions 1.3 to 1.5.82 have them in clusters that were looked at, and its first webhook.

const addOnName = /^(?:bursting-)?cceaddon-virtual-kubelet(?:-|$)|^virtual-kubelet-webhook$/;
const nodeName = 'bursting-node';
const nodeTaints: ReadonlySet<string> = new Set([preferTaint.key, blockedTaint.key]);
const groups: ReadonlySet<string> = new Set(['scheduling.cci.io', 'bursting.cci.io']);

export const addOnNamespace = 'kube-system';
/** The add-on's virtual node. Virtual nodes of Spillway have the same labels and taints, and marks of their own. */
export function isAddOnNode(node: Node): boolean {
  const { name, labels = {}, annotations = {} } = node.metadata ?? {};
  if (isOwnNode(node) || Object.keys(annotations).some((key) => key.startsWith('spillway.dev/'))) return false;
  const isTainted = node.spec?.taints?.some(({ key }) => nodeTaints.has(key)) === true;
  return name === nodeName || nodeTypeLabel in labels || isTainted;
}

export function isAddOnDeployment({ metadata }: Deployment): boolean {
  return metadata?.namespace === addOnNamespace && addOnName.test(metadata.name ?? '');
}

export function isAddOnWebhook(configuration: MutatingWebhookConfiguration | ValidatingWebhookConfiguration): boolean {
  if (isOfProduct(configuration.metadata?.labels)) return false;
  if (addOnName.test(configuration.metadata?.name ?? '')) return true;
  return (configuration.webhooks ?? []).some(({ name, clientConfig: { service } }) => {
    const isServed = service?.namespace === addOnNamespace && addOnName.test(service.name);
    return isServed || name.endsWith('.cci.io');
  });
}

/** Of the add-on, and not one that Spillway has made for the objects that both read. */
export function isAddOnDefinition({ metadata, spec }: CustomResourceDefinition): boolean {
  return groups.has(spec.group) && !isOfProduct(metadata?.labels);
}

/** For people: `Deployment kube-system/…`. */
export function titleOf({ kind = '', metadata }: KubeObject): string {
  const { namespace, name = '' } = metadata ?? {};
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
