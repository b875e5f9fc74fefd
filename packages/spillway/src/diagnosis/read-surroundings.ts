import {
  ApiError,
  type KubeClient,
  type KubeObject,
  type ListOptions,
  persistentVolumeClaims,
  persistentVolumes,
  type ResourceType,
  type StorageClass,
  storageClasses,
} from '@spillway/kube';
import type { ClaimSources } from '../podspec/claims.ts';
import { everyPage } from './every-page.ts';

/** Reads lists with the user's rights. One that may not be read is undefined, and told as a remark. */
export class PermittedLists {
  readonly remarks: string[] = [];
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** @throws ApiError, TransportError */
  async all<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<T[] | undefined> {
    try {
      return await everyPage(this.#client, type, options);
    } catch (error) {
      // 404: the custom resource is not installed.
      if (error instanceof ApiError && error.status === 404) return [];
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      this.remarks.push(
        `${type.plural} could not be read, so the answer does not take them into account: ${error.message}`,
      );
      return undefined;
    }
  }

  /** Of some namespaces. */
  async of<T extends KubeObject>(type: ResourceType<T>, namespaces: readonly string[]): Promise<T[] | undefined> {
    const lists = await Promise.all(namespaces.map((namespace) => this.all(type, { namespace })));
    return lists.includes(undefined) ? undefined : lists.flatMap((list) => list ?? []);
  }

  /** What is known of the volumes of pods in these namespaces. */
  async claims(namespaces: readonly string[]): Promise<ClaimSources | undefined> {
    const [claims, volumes, classes] = await Promise.all([
      this.of(persistentVolumeClaims, namespaces),
      this.all(persistentVolumes),
      this.all(storageClasses),
    ]);
    if (claims === undefined || volumes === undefined || classes === undefined) return undefined;
    return {
      claim: (namespace, name) =>
        claims.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name),
      volume: (name) => volumes.find(({ metadata }) => metadata?.name === name),
      storageClass: (name) =>
        name === undefined ? defaultOf(classes) : classes.find(({ metadata }) => metadata?.name === name),
    };
  }
}

/** Of several, the newest. */
function defaultOf(classes: readonly StorageClass[]): StorageClass | undefined {
  const isDefault = 'storageclass.kubernetes.io/is-default-class';
  return classes
    .filter(({ metadata }) => metadata?.annotations?.[isDefault] === 'true')
    .toSorted((a, b) => createdAt(b).localeCompare(createdAt(a)))[0];
}

function createdAt({ metadata }: StorageClass): string {
  return metadata?.creationTimestamp ?? '';
}
