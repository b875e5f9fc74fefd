import { isNotFound } from './errors.ts';
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
    /** The preferred one first. */
    readonly versions: readonly { readonly groupVersion: string }[];
  }[];
}

/** All kinds of objects that a namespace of the cluster can have, without what is derived from others. */
export async function namespacedTypes(
  client: Pick<Requester, 'request'>,
  signal: AbortSignal,
): Promise<readonly ResourceType<KubeObject>[]> {
  const kindsOf = async (version: string, path: string): Promise<ResourceType<KubeObject>[]> => {
    try {
      return kindsIn(version, await client.request<Resources>({ method: 'GET', path, signal }));
    } catch (error) {
      // The definition of its last kind has just gone.
      if (isNotFound(error)) return [];
      throw error;
    }
  };
  const { groups } = await client.request<Groups>({ method: 'GET', path: '/apis', signal });
  const ofGroups = groups
    .filter(({ name }) => !measured.has(name))
    .map(async ({ versions }) => {
      const all = await Promise.all(versions.map(({ groupVersion }) => kindsOf(groupVersion, `/apis/${groupVersion}`)));
      // Each kind once, whichever version has it.
      return [
        ...new Map(
          all
            .flat()
            .toReversed()
            .map((type) => [type.plural, type]),
        ).values(),
      ];
    });
  return (await Promise.all([kindsOf('v1', '/api/v1'), ...ofGroups])).flat();
}

function kindsIn(apiVersion: string, { resources }: Resources): ResourceType<KubeObject>[] {
  return resources
    .filter(({ name, namespaced, verbs }) => namespaced && verbs.includes('list') && !name.includes('/'))
    .filter(({ name }) => !derived.has(name))
    .map(({ name, kind }) => ({ apiVersion, kind, plural: name, namespaced: true }));
}
