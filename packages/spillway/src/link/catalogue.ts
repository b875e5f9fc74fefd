import {
  type Clock,
  type EndpointSlice,
  endpointSlices,
  Informer,
  type KubeClient,
  type Logger,
  nameOf,
  namespaceOf,
  objectKey,
  type Service,
  services,
} from '@spillway/kube';
import type { LinkService } from '@spillway/link-agent';
import { linkServiceOf, serviceOf } from './link-service.ts';

export interface CatalogueOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** Names under which clusters have their own name servers, best first. */
const nameServers = ['kube-dns', 'coredns'] as const;
const nameServerNamespace = 'kube-system';

const byService = 'service';

/** The Services of the cluster and their endpoints, as agents are told of them. One watch of each kind, however many agents there are. */
export class Catalogue {
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  /** What was made of a Service since it last changed; by key. */
  readonly #made = new Map<string, LinkService | undefined>();
  #onChange: (key: string) => void = () => undefined;

  constructor({ client, logger, clock }: CatalogueOptions) {
    const options = { client, logger, clock };
    this.#services = new Informer({
      ...options,
      type: services,
      onError: (error) => logger.warn({ err: error }, 'cannot watch the Services for link agents; trying again'),
    });
    this.#slices = new Informer({
      ...options,
      type: endpointSlices,
      indexes: { [byService]: keyOfSlice },
      onError: (error) => logger.warn({ err: error }, 'cannot watch the endpoints for link agents; trying again'),
    });
  }

  /** Resolves when `signal` is aborted. @param onChange is told the key of each Service of which something may have changed */
  async run(onChange: (key: string) => void, signal: AbortSignal): Promise<void> {
    this.#onChange = onChange;
    const service = (each: Service): void => this.#changed(objectKey(namespaceOf(each), nameOf(each)));
    const slice = (each: EndpointSlice): void => this.#changed(keyOfSlice(each));
    // The informers end with this call, and are told to nobody else.
    this.#services.subscribe({ added: service, changed: service, deleted: service });
    this.#slices.subscribe({
      added: slice,
      changed: (old, each) => {
        slice(old);
        slice(each);
      },
      deleted: slice,
    });
    await Promise.all([this.#services.run(signal), this.#slices.run(signal)]);
  }

  /** Until then it is not known what there is not. */
  get hasSynced(): boolean {
    return this.#services.hasSynced() && this.#slices.hasSynced();
  }

  get synced(): Promise<unknown> {
    return Promise.all([this.#services.synced, this.#slices.synced]);
  }

  /** Undefined: there is none. The same object until it changes. */
  get(namespace: string, name: string): LinkService | undefined {
    const key = objectKey(namespace, name);
    if (this.#made.has(key)) return this.#made.get(key);
    const service = this.#services.store.get(namespace, name);
    const made = service && linkServiceOf(service, this.#slices.store.byIndex(byService, key));
    if (service) this.#made.set(key, made);
    return made;
  }

  /** Addresses of the cluster's own name servers. */
  resolvers(): readonly string[] {
    for (const name of nameServers) {
      const { groups = [] } = this.get(nameServerNamespace, name) ?? {};
      const ready = groups
        .filter(({ ports }) => ports.some(({ port, protocol }) => port === 53 && protocol === 'UDP'))
        .flatMap(({ endpoints }) => endpoints.filter(({ draining }) => draining !== true));
      if (ready.length > 0) return ready.map(({ address }) => address);
    }
    return [];
  }

  /** Is it one of those that {@link resolvers} come from? */
  isNameServer(key: string): boolean {
    return nameServers.some((name) => key === objectKey(nameServerNamespace, name));
  }

  #changed(key: string | undefined): void {
    if (key === undefined) return;
    this.#made.delete(key);
    this.#onChange(key);
  }
}

function keyOfSlice(slice: EndpointSlice): string | undefined {
  const name = serviceOf(slice);
  return name === undefined ? undefined : objectKey(namespaceOf(slice), name);
}
