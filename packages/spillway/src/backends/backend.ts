import type { Readable, Writable } from 'node:stream';
import type { ContainerStatus, Pod, PodCondition, PodSpec } from '@spillway/kube';
import type { BoundClaim } from '../podspec/claims.ts';
import type { DnsConfig } from '../podspec/dns.ts';
import type { EnvVarTemplate } from '../podspec/env.ts';
import type { Support } from '../podspec/fit/support.ts';
import type { RegistryCredential } from '../podspec/images.ts';
import type { Notice } from '../podspec/notice.ts';
import type { InstanceRef } from '../podspec/pod-facts.ts';
import type { ReferencedObjects } from '../podspec/references.ts';
import type { Refusal } from '../podspec/review/refusal.ts';
import type { ResolvedVolume, VolumeFile } from '../podspec/volumes.ts';

export type { BoundClaim } from '../podspec/claims.ts';
export type { DnsConfig } from '../podspec/dns.ts';
export type { Notice } from '../podspec/notice.ts';
export type { InstanceRef } from '../podspec/pod-facts.ts';
export type { ReferencedObjects } from '../podspec/references.ts';
export type { Refusal } from '../podspec/review/refusal.ts';

/**
 * A backend runs pods somewhere. It never talks to the cluster's API server, and nothing outside
 * `backends/<name>` knows which backend it is: whoever needs a yes or no asks {@link Capabilities}.
 *
 * All methods may be called concurrently for different instances; for one pod UID the caller has at most one
 * operation under way. Every method that waits takes an `AbortSignal` and settles when its work has stopped.
 * All of them throw {@link BackendError} and nothing else.
 */
export interface Backend {
  readonly capabilities: Capabilities;
  /** What becomes of pods here: `fitOf` decides by it which are let in. */
  readonly support: Support;

  /**
   * Makes everything that instances need (namespaces, networks, folders). Idempotent; called at start and when a call said that
   * something of it is gone (`notFound`).
   * @param tell what is waited for, when it is something that people should know
   */
  prepare(signal: AbortSignal, tell?: (notice: Notice) => void): Promise<void>;

  /**
   * Starts one instance for the workload's pod. Idempotent by pod UID: a second call, also one after a crash in the middle
   * of the first, completes what exists and never makes a second instance. Resolves when the backend has accepted; progress
   * (image pull, start) is seen through {@link watch} and {@link list}. The ownership marks are written by the call that creates.
   */
  create(workload: Workload, signal: AbortSignal): Promise<void>;

  /** Asks the instance to end; resolves when accepted. A repeated call may shorten the grace, never lengthen it. Success when already gone. */
  stop(ref: InstanceRef, options: StopOptions, signal: AbortSignal): Promise<void>;

  /**
   * Brings an instance to what its pod is now. A container sees all of a volume's old files or all of its new ones; what is
   * started later, also by another process, sees the new ones. Variables and `subPath` mounts of what runs keep what they
   * have. Pulls that come later use the logins of the pull Secrets in the change. Idempotent. Success when the instance is gone.
   * Afterwards it shows the revision of the change's workload, also when something of that was refused: as long as a listing that
   * begins later shows another, the change is asked for again.
   * @returns what of the pod's change the instance does not get, and will not: it is told on the pod
   */
  update?(ref: InstanceRef, change: InstanceChange, signal: AbortSignal): Promise<readonly Refusal[]>;

  /**
   * Takes back an instance that is `unplaced`: afterwards there is none. Only where `placeWithinMs` is.
   * @returns false: it has found a place, and stays
   */
  withdraw?(ref: InstanceRef, signal: AbortSignal): Promise<boolean>;

  /** Afterwards nothing of the instance exists or is billed; also ends what still runs. Success when already gone. */
  remove(ref: InstanceRef, signal: AbortSignal): Promise<void>;

  /** All instances that carry our marks, also half-created and ending ones. */
  list(signal: AbortSignal): Promise<Listing>;

  /**
   * Changes since the call, until the signal aborts (then it returns) or the connection is lost (then it throws). An event
   * that falls between a listing and the watch may be missed, so callers start the watch first and list then.
   */
  watch?(signal: AbortSignal): AsyncIterable<InstanceEvent>;

  /** Writes the container's log to `sink`, which applies back-pressure. Resolves when the log ends, or when `signal` aborts a follow. */
  logs?(ref: InstanceRef, container: string, options: LogOptions, sink: LogSink, signal: AbortSignal): Promise<void>;

  /** Runs a command in a container; resolves when it has ended and its output was handed on. */
  exec?(
    ref: InstanceRef,
    container: string,
    command: readonly string[],
    streams: OfferedStreams,
    signal: AbortSignal,
  ): Promise<ExecResult>;

  /**
   * Connects to what a container runs: from now on its output is handed on, and it gets the input if its spec says that it
   * reads any. Resolves with 0 when the container has ended, however that was.
   */
  attach?(ref: InstanceRef, container: string, streams: OfferedStreams, signal: AbortSignal): Promise<ExecResult>;

  /** Opens a way to the ports of an instance, which is closed when the signal aborts. */
  portForward?(ref: InstanceRef, signal: AbortSignal): Promise<PortForwarder>;

  /**
   * What the containers of all instances use, as it was measured last: one call, however many instances there are. What was measured
   * once is told with the same time each time. What is not known is left out; instances that nobody asked for may be among them.
   */
  usage(signal: AbortSignal): Promise<readonly InstanceUsage[]>;

  /** What the virtual node offers, unless the configuration says otherwise. Kubernetes quantities. */
  capacity(signal: AbortSignal): Promise<Capacity>;

  /** Cheap health check; the caller sets the deadline with the signal. */
  ping(signal: AbortSignal): Promise<void>;

  /**
   * Takes away what `prepare` made and what instances needed, when this owner has no instance left: copies, logins, networks, the
   * namespace. Never an instance, data, or anything of somebody else's, and nothing that somebody else still needs. Each call does
   * what can be done now and looks anew, so it is called until it removes nothing; after a crash in the middle, another completes it.
   */
  dismantle(signal: AbortSignal, options?: DismantleOptions): Promise<Dismantled>;

  /**
   * Says that this virtual node lives, by the backend's own clock, to what ends its instances when it has said nothing for a while;
   * and sees to it that this is there, where the backend can run it. Idempotent. Absent: the backend keeps no heartbeat.
   * @returns what was ended because of a silence, told once
   */
  renewHeartbeat?(terms: HeartbeatTerms, signal: AbortSignal): Promise<EndedInSilence | undefined>;

  /** From now on nothing is ended because of a silence. Success when nothing would have been. */
  endHeartbeat?(signal: AbortSignal): Promise<void>;

  /** Releases connections. Instances go on running. */
  close(): Promise<void>;
}

export interface HeartbeatTerms {
  /** After a silence of this time, instances are ended. */
  readonly afterMs: number;
  /** Between two renewals. */
  readonly everyMs: number;
}

/** What the dead-man switch did. */
export interface EndedInSilence {
  /** RFC 3339, by the backend's clock. */
  readonly at: string;
  /** The last sign of life before. */
  readonly silentSince: string;
  readonly instances: number;
}

export interface DismantleOptions {
  /** Changes nothing, and tells what would be done if there were no instances. */
  readonly dryRun?: boolean;
}

/** What became of all that a backend has made. */
export interface Dismantled {
  readonly removed: readonly BackendObject[];
  /** Ours, and still there. */
  readonly remains: readonly Remainder[];
  /** Not ours: left as it is. */
  readonly others: readonly Remainder[];
}

/** What there is on the other side besides instances; named for people. */
export interface BackendObject {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface Remainder extends BackendObject {
  readonly why: string;
  readonly remedy?: string;
  /** It goes by itself. */
  readonly ending?: boolean;
}

/** Whether everything is there that instances need. */
export type PreparationState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'prepared' }
  | { readonly kind: 'unprepared'; readonly reason: string; readonly message: string };

/** Whether it is known what instances use. */
export type UsageState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'measured' }
  | { readonly kind: 'unmeasured'; readonly reason: string; readonly message: string };

export interface Capabilities {
  /** Container runtime name and version as the node shows them, e.g. `containerd://1.6.20`. */
  readonly runtimeVersion: string;
  /** Of the machines that run instances, as Kubernetes names it. Default: that of this machine. */
  readonly architecture?: string;
  readonly logs: boolean;
  readonly exec: boolean;
  /** Default: it is not offered */
  readonly attach?: boolean;
  /** Default: it is not offered */
  readonly portForward?: boolean;
  /** Can volumes of ConfigMaps, Secrets and tokens follow what changes in the cluster? */
  readonly volumeUpdates: boolean;
  /** Do pulls that come later need the pull Secrets as they are then? Default: those of the pod's creation do */
  readonly pullSecretUpdates?: boolean;
  /** An instance that is `unplaced` for this long is withdrawn, and the pool counts as sold out. Default: it waits */
  readonly placeWithinMs?: number;
  /** Do pods reach the Services of their cluster, and are they told where its API server is? Default: they do */
  readonly clusterServices?: boolean;
}

/** Whose instances these are. Everything billed carries it, so that nobody else's instance is ever touched. */
export interface Owner {
  /** UID of the cluster's kube-system namespace, unless configured. */
  readonly clusterId: string;
  readonly nodeName: string;
}

/** A pod with everything resolved that only the cluster knows, so that the backend needs no access to it. */
export interface Workload {
  readonly ref: InstanceRef;
  readonly pod: Pod;
  /** Another value for each state of the pod that an instance may have to follow; the instance shows it. */
  readonly revision: string;
  /** Environment by container name, init containers included, in the order of definition. */
  readonly environment: ReadonlyMap<string, readonly EnvVarTemplate[]>;
  /** Volumes by volume name. */
  readonly volumes: ReadonlyMap<string, ResolvedVolume>;
  /** The ConfigMaps and Secrets that the pod refers to: for backends that show them by reference. */
  readonly objects: ReferencedObjects;
  /** The claims of the pod's volumes, by name. All are bound. */
  readonly claims: ReadonlyMap<string, BoundClaim>;
  readonly registryCredentials: readonly RegistryCredential[];
  /** What `/etc/resolv.conf` of the pod says; absent: the backend's own resolver. */
  readonly dns?: DnsConfig;
  /** Addresses of the virtual node, for `status.hostIP`. */
  readonly hostIPs: readonly string[];
  /** Does this pod reach the Services of its cluster, whatever the backend's pods do otherwise? Default: it does not */
  readonly clusterServices?: boolean;
  /** The cluster's DNS domain, for fully qualified host names; absent: unknown. */
  readonly clusterDomain?: string;
}

/** What {@link Backend.update} changes. */
export interface InstanceChange {
  /** All files of each volume that changes, by volume name; only volumes of kind `files`. */
  readonly volumes: ReadonlyMap<string, readonly VolumeFile[]>;
  /** All that the pod's volumes refer to, and its pull Secrets, as far as these follow, as it is now. */
  readonly objects: ReferencedObjects;
  /** Names of those that it does without, for they are not there (any more). Default: none */
  readonly absent?: { readonly configMaps: readonly string[]; readonly secrets: readonly string[] };
  /** Names of the pod's pull Secrets, when one of them has changed. */
  readonly pullSecrets?: readonly string[];
  /**
   * The pod as it is now, when it has another revision than what it was created with or last changed to. The backend brings its
   * instance there as far as it can, and leaves the rest as it is. What only new containers need and is missing is left out.
   */
  readonly workload?: Workload;
}

/** What the backend sees of an instance. */
export interface Instance {
  readonly ref: InstanceRef;
  /**
   * - `starting`: accepted, not every container has been started once
   * - `running`: all init containers are done and the containers were started
   * - `stopping`: asked to end, something may still run
   * - `ended`: nothing runs and nothing will run again
   */
  readonly state: 'starting' | 'running' | 'stopping' | 'ended';
  /** Accepted, but nobody has a place for it yet: why, as far as the backend says. Absent: it has one, or the backend does not tell. */
  readonly unplaced?: string;
  readonly podIPs: readonly string[];
  /** When the backend accepted the instance. RFC 3339. */
  readonly startTime: string;
  /** What it was created with; absent: not known yet. */
  readonly spec?: PodSpec;
  /** Of the workload that it was created with or last changed to; absent: not known. */
  readonly revision?: string;
  readonly containerStatuses: readonly ContainerStatus[];
  readonly initContainerStatuses: readonly ContainerStatus[];
  /** Absent: the pod has none, or the backend cannot have any. */
  readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  /** Of containers that Spillway has added: nobody sees them in the pod, but what runs is billed. Absent: none. */
  readonly addedContainerStatuses?: readonly ContainerStatus[];
  /** Conditions that only the backend knows, e.g. `PodReadyToStartContainers`. */
  readonly conditions?: readonly PodCondition[];
  /** Why the instance ended other than by its containers' exit, e.g. `Evicted`. */
  readonly reason?: string;
  readonly message?: string;
}

export interface Listing {
  /** False when something may be missing; then nothing may be concluded from an absence. */
  readonly complete: boolean;
  readonly instances: readonly Instance[];
}

export type InstanceEvent =
  | { readonly type: 'changed'; readonly instance: Instance }
  /** Its end was seen; that a list lacks it is no event. */
  | { readonly type: 'gone'; readonly ref: InstanceRef }
  /** Something may have been missed: whoever wants to know lists. */
  | { readonly type: 'gap' }
  /** There was another instance of this pod, which should never be: one is kept, that is well if any is, and the other was asked to end. */
  | { readonly type: 'double'; readonly ref: InstanceRef; readonly message: string }
  /** Something that people should see on the pod: pulling, started, back-off. */
  | { readonly type: 'notice'; readonly ref: InstanceRef; readonly notice: Notice };

/** One measurement of an instance. */
export interface InstanceUsage {
  /** Of its pod. */
  readonly uid: string;
  /** When it was taken, in milliseconds since the epoch. */
  readonly atMs: number;
  /** How long before that it began: CPU is the average of this time. */
  readonly windowMs: number;
  readonly containers: readonly ContainerUsage[];
}

export interface ContainerUsage {
  readonly name: string;
  readonly cores?: number;
  /** The working set. */
  readonly memoryBytes?: number;
}

export interface StopOptions {
  /** 0 ends it at once. */
  readonly graceSeconds: number;
}

export interface Capacity {
  readonly cpu: string;
  readonly memory: string;
  readonly pods: string;
  /** Absent: pods get as much as they request. */
  readonly 'ephemeral-storage'?: string;
}

/** Kubernetes' PodLogOptions, checked and with defaults filled in. */
export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly previous: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  /** Nanoseconds since the epoch. */
  readonly since?: bigint;
  readonly stream: 'All' | 'Stdout' | 'Stderr';
}

export interface LogSink {
  /** Resolves when more may be written. Rejects when the reader is gone. */
  write(chunk: Uint8Array): Promise<void>;
}

/** Of a command, or of what a container runs. */
export interface ContainerStreams {
  readonly tty: boolean;
  readonly stdin?: NodeJS.ReadableStream;
  readonly stdout?: NodeJS.WritableStream;
  readonly stderr?: NodeJS.WritableStream;
  /** Terminal sizes as the client reports them. */
  readonly resize?: AsyncIterable<TerminalSize>;
}

/** The streams of somebody who waits for them to be opened. */
export interface OfferedStreams {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** Without a terminal only. */
  readonly stderr: boolean;
  /**
   * Opens them, once. To be called when the way to the container is open: what fails before is told with its reason, what fails
   * later can only end the streams.
   * @throws when who offered them is gone
   */
  open(): Promise<ContainerStreams>;
}

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** How a command ended; 128 + n when a signal ended it. Or why it could not be run, in the words of who tried. */
export type ExecResult =
  | { readonly exitCode: number }
  /** `reason` is that of a metav1.Status; default `InternalError`. */
  | { readonly error: string; readonly reason?: string };

/** A way to the ports of an instance, for any number of connections. */
export interface PortForwarder {
  /** Aborted when the way is lost, with all its connections. */
  readonly ended: AbortSignal;
  /** Carries a connection to its port, and finishes it when it is over or cannot be made. */
  forward(connection: PortConnection): void;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}

/** A connection to a port: two directions, each of which ends by itself. */
export interface PortConnection {
  readonly port: number;
  readonly readable: Readable;
  readonly writable: Writable;
  /** Tells who wanted it why it failed, if it did, and ends what has not ended. Later calls change nothing. */
  readonly finish: (error?: string) => void;
}

export type BackendErrorKind =
  | 'notFound'
  | 'invalid'
  | 'conflict'
  | 'quota'
  | 'soldOut'
  | 'blocked'
  | 'unauthorized'
  | 'throttled'
  | 'unavailable'
  | 'internal';

export interface BackendErrorDetails extends ErrorOptions {
  readonly retryAfterMs?: number;
  readonly remedy?: string;
  /** Reason for the container's waiting state and the event, e.g. `ErrImagePull`; default: the kind's own. */
  readonly reason?: string;
}

/**
 * Why a backend could not do what it was asked.
 *
 * `invalid` is final for this pod. `quota`, `soldOut` and `blocked` stop bursting to the pool for a while. All others are
 * retried for ever, with capped and jittered back-off.
 */
export class BackendError extends Error {
  override readonly name: string = 'BackendError';
  readonly kind: BackendErrorKind;
  readonly retryAfterMs: number | undefined;
  readonly remedy: string | undefined;
  readonly reason: string | undefined;

  constructor(kind: BackendErrorKind, message: string, details: BackendErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.retryAfterMs = details.retryAfterMs;
    this.remedy = details.remedy;
    this.reason = details.reason;
  }
}
