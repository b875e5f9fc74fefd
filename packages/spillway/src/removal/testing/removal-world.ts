import { setImmediate as othersTurn } from 'node:timers/promises';
import {
  ApiError,
  type Clock,
  type DeleteOptions,
  type KubeClient,
  type KubeObject,
  type Lease,
  type ListOptions,
  type ObjectRef,
  type Patch,
  type ResourceType,
  silentLogger,
} from '@spillway/kube';
import { namespace, objectsOf } from '../../addon/testing/installations.ts';
import type { Backend, Instance, InstanceRef, Owner } from '../../backends/backend.ts';
import { SimulatedBackend } from '../../backends/simulated/simulated-backend.ts';
import { SimulatedRegion } from '../../backends/simulated/simulated-region.ts';
import { isRecord } from '../../podspec/plain.ts';
import { selectorOf } from '../../podspec/installation.ts';

type Stored = KubeObject & { spec?: object };

export const nodeName = 'virtual-kubelet';
const nodeLease: ObjectRef = { namespace: 'kube-node-lease', name: nodeName };
export const poolLease: ObjectRef = { namespace, name: 'spillway-rehearsal' };
const replica = 'spillway-1';

export const owner: Owner = { clusterId: 'cluster', nodeName };
const running: Omit<Instance, 'ref'> = {
  state: 'running',
  podIPs: [],
  startTime: '',
  spec: { containers: [{ name: 'main', image: 'a' }] },
  containerStatuses: [
    {
      name: 'main',
      image: 'a',
      imageID: 'a',
      ready: true,
      restartCount: 0,
      state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    },
  ],
  initContainerStatuses: [],
};

/** Time passes when somebody waits. */
export function hurriedClock(): Clock {
  let nowMs = 0;
  const sleep = async (ms: number): Promise<void> => {
    nowMs += ms;
    await othersTurn();
  };
  return { now: () => nowMs, sleep };
}

/**
 * A cluster in which Spillway is installed, as its API server shows it: a Deployment has a pod as long as it has replicas, and the pod
 * serves the virtual node while it holds the lease of the pool. A lease that somebody holds is another one whenever it is looked at.
 */
export class RemovalWorld {
  readonly objects: Map<string, Stored> = new Map();
  /** `delete Node virtual-kubelet` */
  readonly writes: string[] = [];
  /** Called before each write; what it throws is the answer. */
  before: (write: string) => void = () => {};
  /** What the backend has. */
  instances: readonly Instance[] = [];
  /** Leases that somebody renews besides the pods of the Deployment. */
  readonly renewed: Set<string> = new Set();
  /** After which writes the pod of the Deployment has begun to serve. */
  readonly served: string[] = [];
  #version = 0;

  constructor() {
    this.install();
    const web = { namespace: 'shop', name: 'web' };
    this.put({ apiVersion: 'v1', kind: 'Pod', metadata: web, spec: { nodeName } });
    this.instances = [{ ref: { uid: 'uid', ...web }, ...running }];
    this.put({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels: { type: 'virtual-kubelet' } },
      spec: { providerID: 'spillway://cluster/virtual-kubelet' },
    });
    for (const [name, node] of Object.entries({ 'csr-1': nodeName, 'csr-2': 'machine' })) {
      const spec = { signerName: 'kubernetes.io/kubelet-serving', username: `system:node:${node}` };
      this.put({ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec });
    }
    this.#settle();
  }

  get client(): KubeClient {
    const resource = (type: ResourceType<KubeObject>): object => this.#resource(type);
    const request = async ({ path }: { readonly path: string }): Promise<object> => this.#discovered(path);
    const client: KubeClient = Object.assign(Object.create(null), { resource, request });
    return client;
  }

  /** Of the pool. */
  get backend(): Backend {
    const change = (verb: string, { name }: InstanceRef, work: () => void): void => {
      this.#write(`${verb} Instance ${name}`, work);
    };
    return Object.assign(
      new SimulatedBackend({ region: new SimulatedRegion({ options: {}, logger: silentLogger }), owner }),
      {
        list: async () => ({ complete: true, instances: this.instances }),
        stop: async (ref: InstanceRef) =>
          change('stop', ref, () => {
            this.instances = this.instances.map((each) => ({ ...each, state: 'ended' }));
          }),
        remove: async (ref: InstanceRef) =>
          change('remove', ref, () => {
            this.instances = [];
          }),
      },
    );
  }

  put(object: Stored): void {
    const before = this.objects.get(keyOf(object));
    this.#version += 1;
    const uid = before?.metadata?.uid ?? `uid-${this.#version}`;
    const metadata = { ...object.metadata, uid, resourceVersion: String(this.#version) };
    this.objects.set(keyOf(object), { ...object, metadata });
  }

  /** Somebody applies it all again, as tools do that keep a cluster as it is written. */
  install(): void {
    for (const object of objectsOf()) this.put(object);
    this.#settle();
  }

  remove(kind: string, ref: ObjectRef): void {
    const found = this.find(kind, ref);
    if (found !== undefined) this.objects.delete(keyOf(found));
    this.#collect();
    this.#settle();
  }

  find(kind: string, { namespace: of, name }: ObjectRef): Stored | undefined {
    return this.objects.get(keyOf({ kind, metadata: { ...(of !== undefined && { namespace: of }), name } }));
  }

  /** Kinds and names of what there is. */
  get names(): string[] {
    return [...this.objects.values()].map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
  }

  holder(): string | undefined {
    const lease: Lease = Object(this.find('Lease', poolLease));
    return lease.spec?.holderIdentity;
  }

  /** What the controllers of the cluster and the pod of Spillway do. */
  #settle(): void {
    const deployment = this.find('Deployment', { namespace, name: 'spillway' });
    const replicas = deployment === undefined ? 0 : Number(Reflect.get(deployment.spec ?? {}, 'replicas') ?? 1);
    const pod = { namespace, name: replica };
    if (deployment !== undefined && this.find('ReplicaSet', pod) === undefined) {
      this.put({ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { ...pod, ...ownedBy(deployment) } });
    }
    const isHeldByIt = this.holder() === `${replica}_0`;
    if (replicas === 0) {
      this.objects.delete(keyOf({ kind: 'Pod', metadata: pod }));
      if (isHeldByIt) this.#hold(poolLease, '');
      return;
    }
    if (this.find('Pod', pod) === undefined) {
      const metadata = { ...pod, labels: selectorOf('spillway'), ...ownedBy(this.find('ReplicaSet', pod)) };
      this.put({ apiVersion: 'v1', kind: 'Pod', metadata });
    }
    if ((this.holder() ?? '') !== '' && !isHeldByIt) return;
    if (!isHeldByIt) this.served.push(this.writes.at(-1) ?? 'nothing');
    this.#hold(poolLease, `${replica}_0`);
    this.#hold(nodeLease, nodeName);
  }

  #hold(ref: ObjectRef, holderIdentity: string): void {
    const spec = { holderIdentity, leaseDurationSeconds: 40, renewTime: new Date().toISOString() };
    this.put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...ref }, spec });
  }

  #resource(type: ResourceType<KubeObject>): object {
    const get = (ref: ObjectRef): Stored => {
      this.#settle();
      const of = type.namespaced ? ref : { name: ref.name };
      if (this.renewed.has(ref.name)) this.#hold(of, 'stranger_1');
      const found = this.find(type.kind, of);
      if (found === undefined) throw refused(404, 'NotFound');
      return found;
    };
    const list = ({ namespace: of, labelSelector = '', fieldSelector = '' }: ListOptions = {}): Stored[] => {
      this.#settle();
      const wanted = labelSelector.split(',').filter((each) => each.includes('='));
      return [...this.objects.values()].filter(
        ({ kind, metadata }) =>
          kind === type.kind &&
          // No pod is on the virtual node.
          !fieldSelector.startsWith('spec.nodeName=') &&
          (of === undefined || metadata?.namespace === of) &&
          wanted.every((each) => `${each.split('=')[0]}=${metadata?.labels?.[each.split('=')[0] ?? '']}` === each),
      );
    };
    const write = <T>(verb: string, name: string | undefined, work: () => T): T =>
      this.#write(`${verb} ${type.kind} ${name}`, work);
    const saved = (object: Stored): Stored => {
      this.put({ ...object, apiVersion: type.apiVersion, kind: type.kind });
      return get({ ...object.metadata, name: object.metadata?.name ?? '' });
    };
    return {
      get: async (ref: ObjectRef) => structuredClone(get(ref)),
      list: async (options?: ListOptions) => ({ items: structuredClone(list(options)) }),
      pages: async function* (options?: ListOptions) {
        yield { items: structuredClone(list(options)) };
      },
      create: async (object: Stored) =>
        write('create', object.metadata?.name, () => {
          if (this.find(type.kind, { name: '', ...object.metadata }) !== undefined) throw refused(409, 'AlreadyExists');
          return saved(object);
        }),
      replace: async (object: Stored) =>
        write('replace', object.metadata?.name, () => {
          const before = get({ name: '', ...object.metadata });
          if (before.metadata?.resourceVersion !== object.metadata?.resourceVersion) throw refused(409, 'Conflict');
          return saved(object);
        }),
      patch: async (ref: ObjectRef, { body }: Patch) =>
        write('patch', ref.name, () => saved(Object(merged(get(ref), body)))),
      delete: async (ref: ObjectRef, { preconditions }: DeleteOptions = {}) =>
        write('delete', ref.name, () => {
          const found = get(ref);
          if (preconditions?.uid !== found.metadata?.uid) throw refused(409, 'Conflict');
          this.objects.delete(keyOf(found));
          this.#collect();
          return {};
        }),
    };
  }

  #write<T>(told: string, work: () => T): T {
    this.before(told);
    const done = work();
    this.writes.push(told);
    this.#settle();
    return structuredClone(done);
  }

  /** What belongs to something that is gone. */
  #collect(): void {
    const uids = new Set([...this.objects.values()].map(({ metadata }) => metadata?.uid));
    const gone = [...this.objects.values()].filter(({ metadata }) =>
      metadata?.ownerReferences?.some(({ uid }) => !uids.has(uid)),
    );
    for (const each of gone) this.objects.delete(keyOf(each));
    if (gone.length > 0) this.#collect();
  }

  #discovered(path: string): object {
    const versions = [...new Set([...this.objects.values()].map(({ apiVersion = 'v1' }) => apiVersion))];
    if (path === '/apis') {
      const groups = versions.filter((version) => version.includes('/'));
      return { groups: groups.map((groupVersion) => ({ name: groupVersion, versions: [{ groupVersion }] })) };
    }
    const found = [...this.objects.values()].filter(
      ({ apiVersion, metadata }) =>
        path === (apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`) && metadata?.namespace !== undefined,
    );
    const kinds = [...new Set(found.map(({ kind = '' }) => kind))];
    return {
      resources: kinds.map((kind) => ({ kind, name: `${kind.toLowerCase()}s`, namespaced: true, verbs: ['list'] })),
    };
  }
}

/** As a merge patch. */
function merged(before: unknown, change: unknown): unknown {
  if (!isRecord(change)) return change;
  const fields = Object.entries(change).map(([key, value]) => [key, merged(Object(before)[key], value)]);
  return { ...Object(before), ...Object.fromEntries(fields) };
}

const ownedBy = (of: Stored | undefined): object =>
  of === undefined ? {} : { ownerReferences: [{ kind: of.kind, name: of.metadata?.name, uid: of.metadata?.uid }] };

function keyOf({ kind, metadata }: KubeObject): string {
  return [kind, metadata?.namespace, metadata?.name].join('\n');
}

const refused = (status: number, reason: string): ApiError => new ApiError(reason, { status, reason });
