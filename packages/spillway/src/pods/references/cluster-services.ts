import { Informer, namespaceOf, type ReflectorOptions, type Service, services } from '@spillway/kube';

/** The Services of the cluster, as pods see them. */
export class ClusterServices {
  readonly #informer: Informer<Service>;

  constructor(options: Omit<ReflectorOptions<Service>, 'type' | 'indexes'>) {
    this.#informer = new Informer({
      ...options,
      type: services,
      indexes: { namespace: namespaceOf, address: ({ spec }) => spec?.clusterIPs ?? [] },
    });
  }

  get synced(): Promise<void> {
    return this.#informer.synced;
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#informer.run(signal);
  }

  /** Those that a pod of the namespace gets variables of. */
  of(namespace: string): readonly Service[] {
    const { store } = this.#informer;
    const own = store.byIndex('namespace', namespace);
    const kubernetes = store.get('default', 'kubernetes');
    return kubernetes === undefined || namespace === 'default' ? own : [...own, kubernetes];
  }

  /** Whose cluster address it is. */
  at(address: string): Service | undefined {
    return this.#informer.store.byIndex('address', address)[0];
  }
}
