import type { Backend, EndedInSilence, HeartbeatTerms, Owner } from './backend.ts';

/** Looks at everything that clusters have with a provider, whichever cluster asks. */
export interface Survey {
  /** Where it looks, for people; what two pools share has one name. */
  readonly place: string;
  /** @throws BackendError */
  look(signal: AbortSignal): Promise<Sighting>;
  /** What a virtual node of any cluster has in a namespace there. Closed by whoever asks. */
  open(owner: { readonly clusterId: string; readonly nodeName: string }, namespace: string): Backend;
  /** Whether a virtual node of any cluster lives, and what it has in the namespace of the configuration. Needs no more than that. */
  silence(owner: Owner): Silence;
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

/** All that it takes to end the instances of a virtual node that has fallen silent. Its methods throw BackendError. */
export interface Silence {
  heartbeat(signal: AbortSignal): Promise<HeartbeatReading>;
  instances(signal: AbortSignal): Promise<readonly SilentInstance[]>;
  /** Asks it to end; one that has ended is let go. Success when it is gone. */
  end(instance: SilentInstance, graceSeconds: number, signal: AbortSignal): Promise<void>;
  /** For the virtual node, should it come back. Success when there is no heartbeat any more. */
  note(ended: EndedInSilence, signal: AbortSignal): Promise<void>;
}

export interface HeartbeatReading {
  /** By the backend's clock. */
  readonly nowMs: number;
  /** Absent: there is none. */
  readonly heartbeat?: Heartbeat;
}

export interface Heartbeat extends HeartbeatTerms {
  /** By the backend's clock. */
  readonly renewedMs: number;
  /** Another one with each renewal. */
  readonly beat: string;
}

export interface SilentInstance {
  /** In the provider's namespace. */
  readonly name: string;
  readonly uid: string;
  /** The pod that it is the instance of. */
  readonly pod: { readonly namespace: string; readonly name: string };
  /** By the backend's clock. */
  readonly createdMs: number;
  readonly ended: boolean;
}
