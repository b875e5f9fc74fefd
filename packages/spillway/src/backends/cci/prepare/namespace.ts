import type { KubeObject } from '@spillway/kube';
import { BackendError } from '../../backend.ts';
import type { CciDialect } from '../dialects.ts';

/** Selectable, and the first thing to look at in the console. */
export const clusterLabel = 'spillway.dev/cluster';

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const longestName = 63;

/** @throws BackendError when the cluster's ID cannot be part of a namespace's name */
export function namespaceName(dialect: CciDialect, clusterId: string, configured: string | undefined): string {
  if (configured !== undefined) return configured;
  const name = `${dialect.namespacePrefix}${clusterId}`;
  if (dnsLabel.test(clusterId) && name.length <= longestName) return name;
  const most = longestName - dialect.namespacePrefix.length;
  throw new BackendError(
    'internal',
    `a CCI namespace cannot be named after the cluster ID ${JSON.stringify(clusterId)}`,
    {
      remedy: `Set namespaceName, or a clusterId of at most ${most} lower-case letters, digits and "-"`,
    },
  );
}

export function makeNamespace({ namespace }: CciDialect, name: string, clusterId: string): KubeObject {
  const annotations = { ...namespace.fixedAnnotations };
  const labels = { [clusterLabel]: clusterId };
  return { apiVersion: namespace.apiVersion, kind: namespace.kind, metadata: { name, labels, annotations } };
}

/** A namespace of this name is there, as far as we may see. */
export type FoundNamespace = { readonly seen: true; readonly object: KubeObject } | { readonly seen: false };

/** Undefined: it is ours and can be used. */
export function namespaceProblem(found: FoundNamespace, name: string, clusterId: string): BackendError | undefined {
  if (!found.seen) {
    return taken(`the CCI namespace ${name} belongs to another account: all accounts share one set of names`);
  }
  const { metadata } = found.object;
  if (metadata?.deletionTimestamp !== undefined) {
    return new BackendError('unavailable', `the CCI namespace ${name} is being deleted`, {
      reason: 'CCINamespaceEnding',
      remedy: 'Spillway creates it again when it is gone',
    });
  }
  const owner = metadata?.labels?.[clusterLabel];
  if (owner === clusterId) return undefined;
  if (owner === undefined) return taken(`the CCI namespace ${name} exists, but Spillway did not create it`);
  return taken(`the CCI namespace ${name} belongs to the cluster ${owner}`);
}

function taken(message: string): BackendError {
  return new BackendError('blocked', message, {
    reason: 'CCINamespaceTaken',
    remedy: 'Set namespaceName of the backend to a free name',
  });
}
