import { type Informer, type Pod, uidOf } from '@spillway/kube';
import type { Backend, Instance, InstanceEvent } from '../../backends/backend.ts';

/** What the backend and the API server have shown of each pod, by UID. */
export class Witness {
  /** Instances that came into being. */
  readonly accepted: Map<string, number> = new Map();
  /** Containers that were started. */
  readonly started: Map<string, number> = new Map();
  /** With which codes containers of instances that are over have ended; one that never started has none. */
  readonly exitCodes: Map<string, readonly (number | undefined)[]> = new Map();
  readonly instances: Map<string, Instance> = new Map();
  /** The last state, also of a pod that is gone. */
  readonly pods: Map<string, Pod> = new Map();

  constructor(informer: Pick<Informer<Pod>, 'subscribe'>) {
    const seen = (pod: Pod): void => void this.pods.set(uidOf(pod), pod);
    informer.subscribe({ added: seen, changed: (_, pod) => seen(pod), deleted: seen });
  }

  async watch(backend: Required<Pick<Backend, 'watch'>>, signal: AbortSignal): Promise<void> {
    for await (const event of backend.watch(signal)) this.#see(event);
  }

  #see(event: InstanceEvent): void {
    switch (event.type) {
      case 'changed':
        this.#changed(event.instance);
        return;
      case 'gone':
        this.instances.delete(event.ref.uid);
        return;
      case 'notice':
        if (event.notice.reason === 'Started') increase(this.started, event.ref.uid);
    }
  }

  #changed(instance: Instance): void {
    const { uid } = instance.ref;
    if (!this.instances.has(uid)) increase(this.accepted, uid);
    this.instances.set(uid, instance);
    if (instance.state === 'ended') this.exitCodes.set(uid, exitCodesOf(instance));
  }
}

export function exitCodesOf({ containerStatuses }: Pick<Instance, 'containerStatuses'>): (number | undefined)[] {
  return containerStatuses.map(({ state }) => state?.terminated?.exitCode);
}

function increase(counts: Map<string, number>, uid: string): void {
  counts.set(uid, (counts.get(uid) ?? 0) + 1);
}
