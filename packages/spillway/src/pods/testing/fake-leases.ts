import { ApiError, type Lease, type ObjectRef } from '@spillway/kube';

/** The leases of a cluster, with versions and conflicts as the API server has them. */
export class FakeLeases {
  readonly #leases = new Map<string, Lease>();
  /** Grows with each write. */
  version = 0;

  /** Who holds it; empty: nobody. */
  holderOf(name: string): string {
    return this.#leases.get(name)?.spec?.holderIdentity ?? '';
  }

  get({ name }: ObjectRef): Lease {
    const lease = this.#leases.get(name);
    if (!lease) throw new ApiError(`leases "${name}" not found`, { status: 404, reason: 'NotFound' });
    return lease;
  }

  create(lease: Lease): Lease {
    const { name = '' } = lease.metadata ?? {};
    if (this.#leases.has(name))
      throw new ApiError(`leases "${name}" already exists`, { status: 409, reason: 'AlreadyExists' });
    return this.#save(name, lease);
  }

  replace(lease: Lease): Lease {
    const { name = '', resourceVersion } = lease.metadata ?? {};
    if (this.get({ name }).metadata?.resourceVersion !== resourceVersion)
      throw new ApiError(`leases "${name}": the object has been modified`, { status: 409, reason: 'Conflict' });
    return this.#save(name, lease);
  }

  #save(name: string, lease: Lease): Lease {
    this.version += 1;
    const saved = { ...lease, metadata: { ...lease.metadata, uid: name, resourceVersion: String(this.version) } };
    this.#leases.set(name, saved);
    return saved;
  }
}
