import type { KubeObject, ResourceType } from './resource-type.ts';
import type { Requester } from './transport/request.ts';

/** Made of other objects, by the cluster itself. */
const derived: ReadonlySet<string> = new Set(['events', 'endpoints', 'endpointslices']);
const measured: ReadonlySet<string> = new Set(['metrics.k8s.io', 'custom.metrics.k8s.io', 'external.metrics.k8s.io']);

interface Resources {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

interface Groups {
  readonly groups: readonly {
    readonly name: string;
    readonly preferredVersion?: { readonly groupVersion: string };
  }[];
}

/** All kinds of objects that a namespace of the cluster can have, without what is derived from others. */
export async function namespacedTypes(
  client: Requester,
  signal: AbortSignal,
): Promise<readonly ResourceType<KubeObject>[]> {
  const ask = <T>(path: string): Promise<T> => client.request<T>({ method: 'GET', path, signal });
  const { groups } = await ask<Groups>('/apis');
  const versions = groups.flatMap(({ name, preferredVersion }) =>
    measured.has(name) || preferredVersion === undefined ? [] : [preferredVersion.groupVersion],
  );
  const kinds = await Promise.all([
    ask<Resources>('/api/v1').then((found) => kindsIn('v1', found)),
    ...versions.map(async (version) => kindsIn(version, await ask<Resources>(`/apis/${version}`))),
  ]);
  return kinds.flat();
}

function kindsIn(apiVersion: string, { resources }: Resources): ResourceType<KubeObject>[] {
  return resources
    .filter(({ name, namespaced, verbs }) => namespaced && verbs.includes('list') && !name.includes('/'))
    .filter(({ name }) => !derived.has(name))
    .map(({ name, kind }) => ({ apiVersion, kind, plural: name, namespaced: true }));
}
