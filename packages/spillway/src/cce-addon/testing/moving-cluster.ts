import {
  ApiError,
  type Clock,
  type KubeClient,
  type KubeObject,
  type ListOptions,
  type Node,
  nameOf,
  type ObjectRef,
  type Pod,
  type ResourceType,
} from '@spillway/kube';
import { isDeleting, isReady } from '../../podspec/pod-facts.ts';
import { workloadOf } from '../../podspec/workload-of.ts';
import { addOnNode, addOnPod } from './add-on-objects.ts';

interface Owner extends KubeObject {
  readonly kind: 'Deployment' | 'StatefulSet';
  readonly spec: {
    replicas: number;
    template: { metadata: { labels: Record<string, string> } };
  };
}

/**
 * A cluster with the add-on's node, as far as a move needs one. With each look at the clock, the add-on ends what is being deleted, owners
 * create what they lack, and new pods get ready on Spillway.
 */
export class MovingCluster {
  readonly node: Node = structuredClone(addOnNode);
  readonly pods: Map<string, Pod> = new Map();
  readonly owners: Owner[] = [];
  /** What was done, in that order. */
  readonly done: string[] = [];
  /** The most pods of a workload that were not ready at a time, by its name. */
  readonly away: Map<string, number> = new Map();
  /** What an eviction fails with. */
  refuse: (pod: string) => ApiError | undefined = () => undefined;
  newPodsGetReady = true;
  #nowMs = 0;
  #created = 0;

  add(kind: Owner['kind'], name: string, count: number, own: Record<string, string> = {}): void {
    const metadata = { namespace: 'shop', name, labels: own };
    this.owners.push({ kind, metadata, spec: { replicas: count, template: { metadata: { labels: {} } } } });
    for (let index = 0; index < count; index += 1) this.#create(kind, name, 'bursting-node', true);
  }

  put(pod: Pod): void {
    this.pods.set(nameOf(pod), { ...pod, spec: { ...pod.spec, containers: [{ name: 'main', image: 'app' }] } });
  }

  /** Names of the pods on the add-on's node. */
  left(): string[] {
    return [...this.pods.values()].flatMap((pod) => (pod.spec?.nodeName === 'bursting-node' ? [nameOf(pod)] : []));
  }

  get clock(): Clock {
    return {
      now: () => this.#nowMs,
      sleep: async (ms) => {
        this.#nowMs += ms;
        this.#goOn();
      },
    };
  }

  get client(): Pick<KubeClient, 'resource'> {
    const resource = (type: ResourceType<KubeObject>): object => this.#resource(type);
    const client: KubeClient = Object.assign(Object.create(null), { resource });
    return client;
  }

  #resource({ kind }: ResourceType<KubeObject>): object {
    const all = (): readonly KubeObject[] => {
      if (kind === 'Node') return [this.node];
      if (kind === 'Pod') return [...this.pods.values()];
      return this.owners.filter((owner) => owner.kind === kind);
    };
    const get = ({ name }: ObjectRef): KubeObject => {
      const found = all().find((each) => nameOf(each) === name);
      if (found === undefined) throw new ApiError(`${name} not found`, { status: 404, reason: 'NotFound' });
      return found;
    };
    return {
      get: async (ref: ObjectRef) => structuredClone(get(ref)),
      pages: async function* ({ fieldSelector }: ListOptions) {
        const nodeName = fieldSelector?.split('=')[1];
        const items = all().filter((each) => nodeName === undefined || nodeNameOf(each) === nodeName);
        yield { items: structuredClone(items) };
      },
      patch: async (ref: ObjectRef) => {
        this.done.push(`patch ${kind} ${ref.name}`);
        if (kind === 'Node') this.node.spec = { ...this.node.spec, unschedulable: true };
        else this.#roll(ref.name);
      },
      create: async ({ metadata }: KubeObject) => {
        const name = metadata?.name ?? '';
        const error = this.refuse(name);
        if (error !== undefined) throw error;
        this.done.push(`evict ${name}`);
        this.#end(name);
      },
    };
  }

  #end(name: string): void {
    const pod = this.pods.get(name);
    if (pod === undefined) return;
    pod.metadata = { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    this.#count();
  }

  /** All at once: how is the owner's business. */
  #roll(owner: string): void {
    for (const pod of this.pods.values()) if (workloadOf(pod)?.name === owner) this.#end(nameOf(pod));
  }

  #goOn(): void {
    for (const pod of this.pods.values()) {
      if (isDeleting(pod)) this.pods.delete(nameOf(pod));
      else if (!isReady(pod) && this.newPodsGetReady)
        pod.status = { ...pod.status, conditions: [{ type: 'Ready', status: 'True' }] };
    }
    for (const { kind, metadata, spec } of this.owners) {
      for (let have = this.#of(metadata?.name ?? '').length; have < spec.replicas; have += 1) {
        this.#create(kind, metadata?.name ?? '', 'spillway', false);
      }
    }
  }

  #of(owner: string): Pod[] {
    return [...this.pods.values()].filter((pod) => workloadOf(pod)?.name === owner);
  }

  #create(kind: Owner['kind'], owner: string, nodeName: string, ready: boolean): void {
    this.#created += 1;
    const controller = kind === 'Deployment' ? { kind: 'ReplicaSet', name: `${owner}-1a` } : { kind, name: owner };
    this.put(addOnPod(`${owner}-${this.#created}`, { owner: controller, nodeName, ready }));
  }

  #count(): void {
    for (const { metadata, spec } of this.owners) {
      const name = metadata?.name ?? '';
      const ready = this.#of(name).filter((pod) => isReady(pod) && !isDeleting(pod)).length;
      this.away.set(name, Math.max(this.away.get(name) ?? 0, spec.replicas - ready));
    }
  }
}

function nodeNameOf(object: KubeObject): string | undefined {
  const pod: Pod = Object(object);
  return pod.spec?.nodeName;
}
