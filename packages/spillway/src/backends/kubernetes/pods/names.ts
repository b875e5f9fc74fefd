import { createHash } from 'node:crypto';
import type { InstanceRef, Owner } from '../../backend.ts';

const maxName = 253;
const maxHostname = 63;

/** The name that people look for in the other cluster. It says less than the UID: `a-b`/`c` and `a`/`b-c` have the same. */
export function podName(ref: InstanceRef): string {
  const name = `${ref.namespace}-${ref.name}`;
  return name.length <= maxName ? name : distinctPodName(ref);
}

/** For a pod whose usual name another pod has. */
export function distinctPodName({ namespace, name, uid }: InstanceRef): string {
  return withHash(`${namespace}-${name}`, 12, uid);
}

/** Where the copy of a ConfigMap or Secret goes. Each virtual node has copies of its own, which it removes by itself. */
export function copyName({ clusterId, nodeName }: Owner, namespace: string, name: string): string {
  return withHash(`${namespace}-${name}`, 8, clusterId, nodeName, `${namespace}/${name}`);
}

/** What a copy, or a file of the pod's own, was made of; undefined: the name does not tell. */
export function sourceNameOf(copy: string, namespace: string): string | undefined {
  const [, source] = /^(.+)-[0-9a-f]{8,10}$/.exec(copy) ?? [];
  return source?.startsWith(`${namespace}-`) ? source.slice(namespace.length + 1) : undefined;
}

/** Where the pod's tokens and the files about its metadata go. */
export function ownName({ namespace, name, uid }: InstanceRef): string {
  return withHash(`${namespace}-${name}`, 10, uid);
}

/** What the kubelet makes of a pod's name; `spec.hostname` may have no dots. */
export function hostnameOf(name: string): string {
  return name
    .slice(0, maxHostname)
    .replace(/[-.]+$/, '')
    .replaceAll('.', '-');
}

export function hashOf(length: number, ...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, length);
}

function withHash(name: string, length: number, ...parts: readonly string[]): string {
  const kept = name.slice(0, maxName - length - 1).replace(/[-.]+$/, '');
  return `${kept}-${hashOf(length, ...parts)}`;
}
