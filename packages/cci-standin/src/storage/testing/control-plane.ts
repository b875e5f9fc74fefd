import {
  ApiError,
  type KubeClient,
  type KubeObject,
  nameOf,
  namespaceOf,
  type ObjectRef,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type ResourceType,
} from '@spillway/kube';

type Stored = PersistentVolume | PersistentVolumeClaim;
type Event = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Stored };

/** Claims and volumes, which it binds and releases as Kubernetes does. */
export class ControlPlane {
  readonly #objects = new Map<string, Stored>();
  readonly #events: { readonly kind: string; readonly event: Event }[] = [];
  #wake = Promise.withResolvers<void>();
  #version = 0;

  get client(): KubeClient {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of it is used
    return { resource: (type: ResourceType<KubeObject>) => this.#resource(type) } as unknown as KubeClient;
  }

  get volumes(): readonly string[] {
    return this.#of('PersistentVolume').map(nameOf);
  }

  claim(name: string): PersistentVolumeClaim | undefined {
    return this.#of('PersistentVolumeClaim').find((each) => nameOf(each) === name);
  }

  volume(name: string): PersistentVolume | undefined {
    return this.#of('PersistentVolume').find((each) => nameOf(each) === name);
  }

  make(kind: string, object: Stored): void {
    const status = { phase: kind === 'PersistentVolume' ? 'Available' : 'Pending' };
    this.#put(kind, { ...object, metadata: { ...object.metadata, uid: `uid-of-${nameOf(object)}` }, status }, 'ADDED');
    for (const claim of this.#of('PersistentVolumeClaim')) {
      const volume = this.volume(claim.spec?.volumeName ?? '');
      if (volume === undefined || claim.status?.phase === 'Bound') continue;
      const { namespace, name, uid } = claim.metadata ?? {};
      const claimRef = { namespace: namespace ?? '', name: name ?? '', uid: uid ?? '' };
      this.#put('PersistentVolume', { ...volume, spec: { ...volume.spec, claimRef }, status: { phase: 'Bound' } });
      this.#put('PersistentVolumeClaim', { ...claim, status: { phase: 'Bound' } });
    }
  }

  remove(kind: string, name: string): void {
    const object = this.#of(kind).find((each) => nameOf(each) === name);
    if (object === undefined) return;
    this.#put(kind, object, 'DELETED');
    const orphan = this.#of('PersistentVolume').find(({ spec }) => spec?.claimRef?.uid === object.metadata?.uid);
    if (orphan) this.#put('PersistentVolume', { ...orphan, status: { phase: 'Released' } });
  }

  #of(kind: string): (PersistentVolume & PersistentVolumeClaim)[] {
    const all = [...this.#objects].filter(([key]) => key.startsWith(`${kind}/`));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the caller knows
    return all.map(([, object]) => object as PersistentVolume & PersistentVolumeClaim);
  }

  #put(kind: string, object: Stored, type: Event['type'] = 'MODIFIED'): void {
    const key = `${kind}/${namespaceOf(object) ?? ''}/${nameOf(object)}`;
    const next = { ...object, metadata: { ...object.metadata, resourceVersion: String((this.#version += 1)) } };
    if (type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, next);
    this.#events.push({ kind, event: { type, object: next } });
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  #resource({ kind }: ResourceType<KubeObject>): object {
    const find = ({ name }: ObjectRef): Stored => {
      const found = this.#of(kind).find((each) => nameOf(each) === name);
      if (found === undefined) throw new ApiError('not found', { status: 404, reason: 'NotFound' });
      return found;
    };
    return {
      get: async (ref: ObjectRef) => find(ref),
      list: async ({ namespace }: { namespace: string }) => ({
        items: this.#of(kind).filter((each) => namespaceOf(each) === namespace),
      }),
      create: async (object: Stored) => this.make(kind, object),
      patch: async (ref: ObjectRef) => this.#put(kind, find(ref)),
      delete: async (ref: ObjectRef) => this.remove(kind, nameOf(find(ref))),
      pages: async function* (this: void) {
        yield { metadata: { resourceVersion: '0' }, items: [] };
      },
      watch: (options: { sendInitialEvents?: boolean; signal: AbortSignal }) => this.#watch(kind, options),
    };
  }

  async *#watch(
    wanted: string,
    { sendInitialEvents = false, signal }: { sendInitialEvents?: boolean; signal: AbortSignal },
  ): AsyncIterable<Event> {
    if (sendInitialEvents) throw new ApiError('lists are not streamed', { status: 422, reason: 'Invalid' });
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    for (let next = 0; !signal.aborted; next += 1) {
      while (this.#events[next] === undefined && !signal.aborted) await Promise.race([this.#wake.promise, aborted]);
      const { kind, event } = this.#events[next] ?? {};
      if (event !== undefined && kind === wanted) yield event;
    }
  }
}
