import { ApiError } from '../src/errors.ts';
import type { Lease } from '../src/generated/index.ts';
import { trusted } from '../src/json.ts';
import type { CallOptions, ResourceClient } from '../src/resources/resource-client.ts';
import type { KubeClient } from '../src/transport/client.ts';

/** One lease as an API server keeps it: versions, conflicts, and outages as the test wants them. */
export class LeaseServer {
  stored: Lease | undefined;
  /** Called before each request with who asks and what for; what it throws is the answer. */
  before: (who: string, verb: string, options?: CallOptions) => void | Promise<void> = () => undefined;
  readonly writes: string[] = [];
  #version = 0;
  #uids = 0;

  client(who: string): Pick<KubeClient, 'resource'> {
    const resource: Partial<ResourceClient<Lease>> = {
      get: (_, options) => this.#answer(who, 'get', options, () => this.stored ?? refuse(404, 'NotFound')),
      create: (lease, options) =>
        this.#answer(who, 'create', options, () =>
          this.stored === undefined ? this.save(trusted(lease)) : refuse(409, 'AlreadyExists'),
        ),
      replace: (lease, options) =>
        this.#answer(who, 'replace', options, () => {
          if (this.stored === undefined) return refuse(404, 'NotFound');
          if (this.stored.metadata?.resourceVersion !== lease.metadata?.resourceVersion) return refuse(409, 'Conflict');
          return this.save(trusted(lease));
        }),
    };
    return { resource: <T extends object>() => trusted<ResourceClient<T>>(resource) };
  }

  save(lease: Lease): Lease {
    const uid = this.stored?.metadata?.uid ?? `lease-${++this.#uids}`;
    this.stored = { ...lease, metadata: { ...lease.metadata, uid, resourceVersion: String(++this.#version) } };
    return this.stored;
  }

  async #answer<R>(who: string, verb: string, options: CallOptions | undefined, work: () => Lease): Promise<R> {
    await this.before(who, verb, options);
    options?.signal?.throwIfAborted();
    const lease = work();
    if (verb !== 'get') this.writes.push(`${who} ${verb}`);
    return trusted<R>(structuredClone(lease));
  }
}

function refuse(status: number, reason: string): never {
  throw new ApiError(reason, { status, reason });
}
