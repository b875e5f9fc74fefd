import type { Lease, OwnerReference } from '../generated/index.ts';

export const nodeLeaseNamespace = 'kube-node-lease';

export interface NodeIdentity {
  readonly name: string;
  /** Undefined: not known at the moment */
  readonly uid: string | undefined;
}

/**
 * The lease as it has to be written at `at`: `latest` with a new time, or a first one. Its owner is the node, so that
 * it goes when the node does; a node that was made anew owns it under its new UID.
 */
export function renewedLease(
  latest: Lease | undefined,
  { node, at, durationSeconds }: { node: NodeIdentity; at: Date; durationSeconds: number },
): Lease {
  const base: Lease = latest ?? {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: node.name, namespace: nodeLeaseNamespace },
  };
  return {
    ...base,
    metadata: { ...base.metadata, ownerReferences: owners(base.metadata?.ownerReferences ?? [], node) },
    spec: {
      ...base.spec,
      holderIdentity: node.name,
      leaseDurationSeconds: durationSeconds,
      renewTime: microTime(at),
    },
  };
}

function owners(before: readonly OwnerReference[], { name, uid }: NodeIdentity): OwnerReference[] {
  if (uid === undefined) return [...before];
  const others = before.filter((owner) => owner.kind !== 'Node');
  return [...others, { apiVersion: 'v1', kind: 'Node', name, uid }];
}

const microTime = (at: Date): string => at.toISOString().replace(/Z$/, '000Z');
