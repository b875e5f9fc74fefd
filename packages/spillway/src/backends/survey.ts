import type { Backend } from './backend.ts';

/** Looks at everything that clusters have with a provider, whichever cluster asks. */
export interface Survey {
  /** Where it looks, for people; what two pools share has one name. */
  readonly place: string;
  /** @throws BackendError */
  look(signal: AbortSignal): Promise<Sighting>;
  /** What a virtual node of any cluster has in a namespace there. Closed by whoever asks. */
  open(owner: { readonly clusterId: string; readonly nodeName: string }, namespace: string): Backend;
  /** Ends an instance that is not Spillway's. Success when it is gone. */
  end(namespace: string, instance: Pick<TracedInstance, 'name' | 'uid'>, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface Sighting {
  readonly traces: readonly Trace[];
  /** What could not be looked at. */
  readonly unseen?: string;
}

/** What one cluster has in one namespace. */
export interface Trace {
  readonly clusterId: string;
  /** Whose marks it has: `add-on` is the vendor's virtual-kubelet. */
  readonly by: 'spillway' | 'add-on';
  readonly namespace: string;
  /** RFC 3339: of the oldest that there is of it. Absent: not known */
  readonly since?: string;
  /** Virtual nodes that have something in it. */
  readonly nodes: readonly string[];
  readonly instances: readonly TracedInstance[];
}

export interface TracedInstance {
  /** In the provider's namespace. */
  readonly name: string;
  readonly uid: string;
  /** The pod that it is the instance of, as NAMESPACE/NAME. */
  readonly pod: string;
  readonly node: string;
  readonly since?: string;
  /** It has ended, and is still there. */
  readonly ended: boolean;
  /** Kubernetes quantities. */
  readonly cpu: string;
  readonly memory: string;
}
