import type { KubeObject } from '@spillway/kube';
import type { InstanceRef, Owner } from '../../backend.ts';
import { hashOf } from './names.ts';

/** What marks an object in the other cluster as ours. */
const keys = {
  cluster: 'spillway.dev/cluster',
  node: 'spillway.dev/node',
  uid: 'spillway.dev/pod-uid',
  /** On copies. */
  copy: 'spillway.dev/copy',
  /** On the heartbeat, and on what ends instances when it stops. */
  deadMan: 'spillway.dev/dead-man',
} as const;

const annotations = {
  ...keys,
  namespace: 'spillway.dev/namespace',
  name: 'spillway.dev/name',
  version: 'spillway.dev/resource-version',
} as const;

/** On a pod: a hash of what its volumes hold. A new value makes the kubelet look at them at once. */
export const contentAnnotation = 'spillway.dev/content';

/** On a pod: what it was made from, or last changed to. */
export const revisionAnnotation = 'spillway.dev/revision';

export interface Marks {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What an object of the cluster's is, for its copy. */
export interface Source {
  readonly namespace: string;
  readonly name: string;
  /** The source's resource version; empty: it has none. */
  readonly version: string;
}

export function podMarks(owner: Owner, ref: InstanceRef): Marks {
  return {
    labels: { ...ownerLabels(owner), [keys.uid]: labelValue(ref.uid) },
    annotations: {
      ...ownerAnnotations(owner),
      [annotations.uid]: ref.uid,
      [annotations.namespace]: ref.namespace,
      [annotations.name]: ref.name,
    },
  };
}

/** Of the namespace itself, which the virtual nodes of a cluster share. */
export function namespaceMarks(clusterId: string): Marks {
  return {
    labels: { [keys.cluster]: labelValue(clusterId) },
    annotations: { [annotations.cluster]: clusterId },
  };
}

/** Which cluster an object belongs to; undefined: Spillway did not make it. */
export function clusterOf({ metadata }: KubeObject): string | undefined {
  return metadata?.annotations?.[annotations.cluster] ?? metadata?.labels?.[keys.cluster];
}

/** Of which virtual node; undefined: not marked. */
export function nodeOf({ metadata }: KubeObject): string | undefined {
  return metadata?.annotations?.[annotations.node] ?? metadata?.annotations?.['virtual-kubelet-nodename'];
}

/** NAMESPACE/NAME of the pod that an instance is of, as its marks or those of the vendor's add-on say it. */
export function podOf({ metadata }: KubeObject): string {
  const notes = metadata?.annotations ?? {};
  const namespace = notes[annotations.namespace] ?? notes['virtual-kubelet-namespace'] ?? '';
  const name = notes[annotations.name] ?? notes['virtual-kubelet-podname'] ?? '';
  return `${namespace}/${name}`;
}

/** @param source absent: it is a copy of no object of the cluster */
export function copyMarks(owner: Owner, source?: Source): Marks {
  return {
    labels: { ...ownerLabels(owner), [keys.copy]: 'true' },
    annotations: { ...ownerAnnotations(owner), ...(source && sourceAnnotations(source)) },
  };
}

/** Of what belongs to the dead-man switch of a virtual node. */
export function deadManMarks(owner: Owner): Marks {
  return {
    labels: { ...ownerLabels(owner), [keys.deadMan]: 'true' },
    annotations: ownerAnnotations(owner),
  };
}

export const everyDeadManSelector: string = keys.deadMan;

export function isDeadMan(object: KubeObject, owner: Owner): boolean {
  return isOwnedBy(object, owner) && object.metadata?.labels?.[keys.deadMan] !== undefined;
}

function sourceAnnotations({ namespace, name, version }: Source): Record<string, string> {
  return {
    [annotations.namespace]: namespace,
    [annotations.name]: name,
    ...(version !== '' && { [annotations.version]: version }),
  };
}

/** Selects our pods, or one of them. */
export function podSelector(owner: Owner, uid?: string): string {
  return selector(ownerLabels(owner), uid === undefined ? keys.uid : `${keys.uid}=${labelValue(uid)}`);
}

/** Selects the copies of all virtual nodes. */
export const everyCopySelector: string = keys.copy;

export function copySelector(owner: Owner): string {
  return selector(ownerLabels(owner), keys.copy);
}

/** Undefined when the object is not an instance of this owner's. */
export function markedRef(object: KubeObject, owner: Owner): InstanceRef | undefined {
  if (!isOwnedBy(object, owner)) return undefined;
  const notes = object.metadata?.annotations ?? {};
  const { [annotations.uid]: uid, [annotations.namespace]: namespace, [annotations.name]: name } = notes;
  return uid && namespace && name ? { uid, namespace, name } : undefined;
}

export function isCopy(object: KubeObject, owner: Owner): boolean {
  return isOwnedBy(object, owner) && object.metadata?.labels?.[keys.copy] !== undefined;
}

/** Undefined when the object is not a copy of this owner's, or one of no object of the cluster. */
export function sourceOf(object: KubeObject, owner: Owner): Source | undefined {
  if (!isCopy(object, owner)) return undefined;
  const notes = object.metadata?.annotations ?? {};
  const { [annotations.namespace]: namespace, [annotations.name]: name, [annotations.version]: version = '' } = notes;
  return namespace && name ? { namespace, name, version } : undefined;
}

/** For people: whose an object is. */
export function ownerOf({ metadata }: KubeObject): string {
  const node = metadata?.annotations?.[annotations.node];
  const cluster = clusterOf({ ...(metadata && { metadata }) });
  if (cluster && node) return `virtual node ${node} of cluster ${cluster}`;
  if (cluster) return `cluster ${cluster}`;
  const manager = metadata?.labels?.['app.kubernetes.io/managed-by'] ?? metadata?.ownerReferences?.[0]?.name;
  return manager === undefined ? 'somebody else' : `somebody else (${manager})`;
}

export function isOwnedBy({ metadata }: KubeObject, owner: Owner): boolean {
  return Object.entries(ownerLabels(owner)).every(([key, value]) => metadata?.labels?.[key] === value);
}

function ownerLabels({ clusterId, nodeName }: Owner): Record<string, string> {
  return { [keys.cluster]: labelValue(clusterId), [keys.node]: labelValue(nodeName) };
}

function ownerAnnotations({ clusterId, nodeName }: Owner): Record<string, string> {
  return { [annotations.cluster]: clusterId, [annotations.node]: nodeName };
}

/** A value that cannot be a label is replaced by its hash; the annotation has all of it. */
function labelValue(value: string): string {
  return /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(value) ? value : hashOf(40, value);
}

function selector(labels: Readonly<Record<string, string>>, more: string): string {
  return [...Object.entries(labels).map(([key, value]) => `${key}=${value}`), more].join(',');
}
