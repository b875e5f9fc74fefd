import { createHash } from 'node:crypto';
import type { InstanceRef, Owner } from '../../backend.ts';

const maxName = 253;
const maxNamespace = 63;
/** Kubelets make a folder `namespace_name_uid` for the logs of a pod, and no file system takes more than 255 characters. */
const maxPodName = 255 - maxNamespace - 36 - 2;

/**
 * What a pod is called in the other cluster: for people where it comes from, and in the end which pod it is. There is one name for
 * one UID, however often a pod is asked for and however late a request arrives, so the cluster itself keeps a second one out.
 */
export function podName({ namespace, name, uid }: InstanceRef): string {
  return withHash(`${namespace}-${name}`, maxPodName, 10, uid);
}

/** Where the copy of a ConfigMap or Secret goes. Each virtual node has copies of its own, which it removes by itself. */
export function copyName({ clusterId, nodeName }: Owner, namespace: string, name: string): string {
  return withHash(`${namespace}-${name}`, maxName, 8, clusterId, nodeName, `${namespace}/${name}`);
}

/** Of what belongs to the dead-man switch: each virtual node has its own. A CronJob's name has at most 52 characters. */
export function deadManName({ clusterId, nodeName }: Owner): string {
  return `spillway-dead-man-${hashOf(10, clusterId, nodeName)}`;
}

/** What a copy, or a file of the pod's own, was made of; undefined: the name does not tell. */
export function sourceNameOf(copy: string, namespace: string): string | undefined {
  const [, source] = /^(.+)-[0-9a-f]{8,10}$/.exec(copy) ?? [];
  return source?.startsWith(`${namespace}-`) ? source.slice(namespace.length + 1) : undefined;
}

/** Where the pod's tokens and the files about its metadata go. */
export function ownName({ namespace, name, uid }: InstanceRef): string {
  return withHash(`${namespace}-${name}`, maxName, 10, uid);
}

export function hashOf(length: number, ...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, length);
}

function withHash(name: string, max: number, length: number, ...parts: readonly string[]): string {
  const kept = name.slice(0, max - length - 1).replace(/[-.]+$/, '');
  return `${kept}-${hashOf(length, ...parts)}`;
}
