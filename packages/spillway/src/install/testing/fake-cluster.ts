import {
  ApiError,
  type Deployment,
  type KubeClient,
  type KubeObject,
  type ObjectRef,
  type ResourceType,
} from '@spillway/kube';
import { selectorOf } from '../../podspec/installation.ts';

type Stored = KubeObject & { status?: object; spec?: object };

/**
 * An API server with a controller of Deployments, as far as installations need them: what is applied is there at once, and the pods of
 * a Deployment are ready unless their image says `broken`.
 */
export class FakeCluster {
  readonly objects: Map<string, Stored> = new Map();
  /** Kinds and names that were deleted, in that order. */
  readonly deleted: string[] = [];
  /** What applying an object fails with. */
  refuse: (object: KubeObject) => Error | undefined = () => undefined;
  #version = 0;

  get client(): KubeClient {
    const resource = (type: ResourceType<KubeObject>): object => this.#resource(type);
    const client: KubeClient = Object.assign(Object.create(null), { resource, stream: noLogs });
    return client;
  }

  /** Names by kinds. */
  names(kind: string): string[] {
    return [...this.objects.values()].flatMap((each) => (each.kind === kind ? [each.metadata?.name ?? ''] : []));
  }

  image(): unknown {
    const found = [...this.objects.values()].find(({ kind }) => kind === 'Deployment');
    const deployment: Deployment = Object(found);
    return deployment.spec?.template.spec?.containers[0]?.image;
  }

  put(object: Stored): void {
    this.objects.set(keyOf(object), object);
  }

  #resource(type: ResourceType<KubeObject>): object {
    const ofType = (): Stored[] => [...this.objects.values()].filter(({ kind }) => kind === type.kind);
    const get = (ref: ObjectRef): Stored => {
      const found = this.objects.get(keyOf({ kind: type.kind, metadata: { ...ref } }));
      if (found === undefined) throw notFound(ref.name);
      return found;
    };
    return {
      get: async (ref: ObjectRef) => structuredClone(get(ref)),
      list: async () => ({ metadata: {}, items: structuredClone(ofType()) }),
      pages: async function* () {
        yield { metadata: {}, items: structuredClone(ofType()) };
      },
      apply: async (object: Stored, { dryRun = false }: { readonly dryRun?: boolean }) => {
        const error = this.refuse(object);
        if (error !== undefined) throw error;
        const applied = this.#applied(object);
        if (!dryRun) this.put(applied);
        if (!dryRun && object.kind === 'Deployment') this.#roll(applied);
        return applied;
      },
      delete: async (ref: ObjectRef) => {
        const found = get(ref);
        this.objects.delete(keyOf(found));
        this.deleted.push(`${found.kind} ${found.metadata?.name}`);
        return {};
      },
    };
  }

  #applied(object: Stored): Stored {
    const before = this.objects.get(keyOf(object));
    this.#version += 1;
    const owned = Object.fromEntries(
      Object.keys(object).flatMap((field) => (field === 'metadata' ? [] : [[`f:${field}`, {}]])),
    );
    const fieldsV1 = { ...owned, 'f:metadata': { 'f:labels': {} } };
    const metadata = {
      ...object.metadata,
      uid: before?.metadata?.uid ?? `uid-${this.#version}`,
      generation: this.#version,
      managedFields: [{ manager: 'helm', operation: 'Apply', fieldsV1 }],
    };
    return { ...object, metadata };
  }

  /** Pods of an older version go when the new ones are ready. */
  #roll(object: Stored): void {
    const deployment: Deployment = Object(object);
    const { metadata = {}, spec } = deployment;
    const wanted = spec?.replicas ?? 1;
    const isBroken = spec?.template.spec?.containers[0]?.image?.includes('broken') === true;
    const counts = { replicas: wanted, updatedReplicas: wanted, availableReplicas: isBroken ? 0 : wanted };
    this.put({ ...object, status: { observedGeneration: metadata.generation, ...counts } });
    if (isBroken) return;
    const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
    const { namespace = '', name = '' } = metadata;
    this.put({ kind: 'Pod', metadata: { namespace, name: `${name}-1`, labels: selectorOf(name) }, status: ready });
    this.put({
      kind: 'Lease',
      metadata: { namespace, name: `${name}-rehearsal` },
      spec: { holderIdentity: `${name}-1_0` },
    });
    this.put({ kind: 'Node', metadata: { name: 'virtual-kubelet' }, status: ready });
  }
}

const noLogs = (): Promise<never> => Promise.reject(new Error('there are no logs'));

function keyOf({ kind, metadata }: KubeObject): string {
  const isOfCluster = kind === 'Node' || kind === 'Namespace' || kind?.startsWith('Cluster');
  return [kind, isOfCluster ? '' : (metadata?.namespace ?? ''), metadata?.name].join('\n');
}

const notFound = (name: string): ApiError => new ApiError(`${name} not found`, { status: 404, reason: 'NotFound' });
