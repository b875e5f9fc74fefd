import {
  ApiError,
  isConflict,
  isNotFound,
  parseObject,
  type KubeClient,
  type Pod,
  pods,
  TransportError,
  errorMessage,
  systemClock,
} from '@spillway/kube';
import {
  type Backend,
  BackendError,
  type InstanceChange,
  type InstanceRef,
  type Notice,
  type Refusal,
  type Workload,
} from '../backends/backend.ts';
import {
  type Following,
  followingReferencesOf,
  objectsOf,
  type PodReferences,
  referencesOf,
} from '../podspec/references.ts';
import { type MissingReference, resolvePresent, resolveVolumes, resolveWorkload } from '../podspec/resolve.ts';
import type { WorkloadFacts, WorkloadSources } from '../podspec/workload-sources.ts';
import { claimRefusals } from '../podspec/fit/claims.ts';
import { asSized } from '../podspec/sizing/sized-pod.ts';
import { sizeNotices } from '../podspec/sizing/shown.ts';
import { backendNotices } from './intake/backend-notices.ts';
import { byName, hasAgent, usesClusterDns } from '../podspec/agent-container.ts';
import { instanceRef } from '../podspec/pod-facts.ts';
import { withoutEphemeralContainers } from '../podspec/containers.ts';
import { revisionOf } from '../podspec/travelling.ts';
import { noticesOfRefusals, waitingForRefusals } from './core/problems.ts';
import type { Content, Operation, Outcome, PodState, Problem } from './core/pod-state.ts';
import type { GonePods, Presence } from './instances/gone-pods.ts';
import type { WatchedObject } from './references/reference-watches.ts';
import { fetchReferences, type ReferenceReader } from './references/fetch.ts';
import type { PodLink } from './pod-link.ts';
import type { Stage } from './timeline.ts';
import { changedVolumes, digestOfSecrets, digestsOf } from './references/volume-content.ts';

export interface OperationsOptions {
  readonly backend: Pick<Backend, 'capabilities' | 'support' | 'create' | 'update' | 'withdraw' | 'stop' | 'remove'>;
  /** Client of the node agent. */
  readonly client: Pick<KubeClient, 'resource'>;
  readonly gonePods: Pick<GonePods, 'look'>;
  readonly references: ReferenceReader;
  readonly facts: () => WorkloadFacts;
  /** Default: pods reach Services as their backend lets them. */
  readonly link?: PodLink | undefined;
  /** Why the backend cannot be asked to create; undefined: it can. */
  readonly obstacle: () => Promise<Problem | undefined>;
  /** From now on the pod is told when one of these changes, and no other. Default: nobody watches. */
  readonly follow?: (ref: InstanceRef, objects: readonly WatchedObject[]) => void;
  readonly record: (ref: InstanceRef, notice: Notice) => void;
  /** For the pod's timeline. */
  readonly onStage?: (ref: InstanceRef, stage: Stage) => void;
  /** An error that nobody foresaw. */
  readonly onDefect: (error: unknown) => void;
}

const ok: Outcome = { ok: true };

const presenceMessages: Readonly<Record<Exclude<Presence, 'gone'>, string>> = {
  there: 'the API server still has the pod',
  otherCluster: 'the API server belongs to another cluster than the pod',
};

/** The operations that {@link decide} asks for, on the real backend and API server. Each never rejects. */
export class Operations {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  async perform(operation: Operation, state: PodState, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#perform(operation, state, signal);
    } catch (error) {
      if (!signal.aborted && !isExpected(error)) this.#options.onDefect(error);
      return { ok: false, problem: problemOf(error) };
    }
  }

  async #perform(operation: Operation, state: PodState, signal: AbortSignal): Promise<Outcome> {
    const { ref } = state;
    const { backend } = this.#options;
    switch (operation.kind) {
      case 'create':
        return this.#create(state, operation.again, signal);
      case 'update':
        return this.#update(state, signal);
      case 'withdraw':
        return this.#withdraw(state, signal);
      case 'stop':
        await backend.stop(ref, { graceSeconds: operation.graceSeconds }, signal);
        return ok;
      case 'remove':
        await backend.remove(ref, signal);
        return ok;
      case 'confirmGone':
        return this.#confirmGone(ref, signal);
      default:
        return this.#deletePod(ref, signal);
    }
  }

  async #confirmGone(ref: InstanceRef, signal: AbortSignal): Promise<Outcome> {
    const presence = await this.#options.gonePods.look(ref, signal);
    return presence === 'gone'
      ? ok
      : { ok: false, problem: { kind: 'stillThere', message: presenceMessages[presence] } };
  }

  async #create(state: PodState, again: boolean, signal: AbortSignal): Promise<Outcome> {
    const { ref, sized } = state;
    const wanted = podToRun(state);
    if (wanted === undefined) return ok;
    const pod = withoutEphemeralContainers(wanted);
    // Those who are left out are a change that the instance gets when it is there.
    const revision = pod === wanted ? state.revision : revisionOf(pod);
    const { backend, references, record, onStage } = this.#options;
    const readMs = this.#now();
    const run = this.#linked(pod, state);
    if (run.obstacle) return { ok: false, problem: run.obstacle };
    const sources = run.sources(await fetchReferences(run.pod, references, signal));
    const resolution = resolveWorkload(run.pod, sources, run.facts);
    if (!resolution.ok) return this.#lacks(ref, resolution.missing, sources);
    const refusals = claimRefusals(pod, backend.support, sources.claims);
    if (refusals.length > 0) return { ok: false, problem: refusedProblem(refusals, ref) };
    this.#follow(ref, followedBy(pod, this.#following, sources));
    const { dns } = resolution.workload;
    const once = again
      ? []
      : [
          ...(sized ? sizeNotices(sized) : []),
          ...backendNotices(pod, dns, backend, (address) => references.serviceAt?.(address)),
        ];
    for (const notice of [...once, ...resolution.notices]) record(ref, notice);
    onStage?.(ref, 'admitted');
    const problem = await this.#options.obstacle();
    if (problem) return { ok: false, problem };
    const workload: Workload = { ref, pod: run.pod, revision, ...resolution.workload, ...run.reaches };
    onStage?.(ref, 'createSent');
    await backend.create(workload, signal);
    onStage?.(ref, 'createAccepted');
    const renewAtMs = this.#following.volumeUpdates === true ? sources.renewAtMs : Number.POSITIVE_INFINITY;
    const digests = digestsOf(workload.volumes);
    const logins = this.#pullSecrets(pod, sources);
    return { ok: true, content: { revision, refused: [], digests, ...logins, readMs, renewAtMs } };
  }

  async #update(state: PodState, signal: AbortSignal): Promise<Outcome> {
    const { ref, revision, content: applied } = state;
    const own = podToRun(state);
    if (own === undefined) return ok;
    const run = this.#linked(own, state);
    const { pod } = run;
    const { backend, references } = this.#options;
    const readMs = this.#now();
    const wanted = followingReferencesOf(pod, this.#following);
    const isOtherPod = revision !== applied?.revision;
    const read = isOtherPod ? allOf(referencesOf(pod), wanted) : wanted;
    const sources = run.sources(await fetchReferences(pod, references, signal, read));
    this.#follow(ref, followedBy(pod, this.#following, sources));
    const { volumes, missing } = this.#volumes(run, sources);
    const changed = missing.length > 0 ? new Map() : changedVolumes(volumes, applied?.digests);
    const logins = this.#pullSecrets(pod, sources);
    const areOtherLogins = logins.pullSecrets !== applied?.pullSecrets;
    let refused = applied?.refused ?? [];
    if (changed.size > 0 || areOtherLogins || isOtherPod) {
      const change: InstanceChange = {
        volumes: changed,
        objects: objectsOf(wanted, sources),
        absent: absentOf(wanted, sources),
        ...(areOtherLogins && { pullSecrets: pullSecretsOf(pod) }),
        ...(isOtherPod && { workload: this.#present(state, run, sources) }),
      };
      const refusals = (await backend.update?.(ref, change, signal)) ?? [];
      if (isOtherPod) refused = refusals;
    }
    const { renewAtMs } = sources;
    if (missing.length === 0) {
      return { ok: true, content: { revision, refused, digests: digestsOf(volumes), ...logins, readMs, renewAtMs } };
    }
    const { digests = new Map() } = applied ?? {};
    const content = { revision, refused, digests, ...logins, readMs, renewAtMs };
    return { ok: false, problem: missingProblem(missing), content };
  }

  async #withdraw({ ref, last }: PodState, signal: AbortSignal): Promise<Outcome> {
    const { backend } = this.#options;
    if (!(await backend.withdraw?.(ref, signal))) return ok;
    const seconds = Math.round((backend.capabilities.placeWithinMs ?? 0) / 1000);
    const why = last?.unplaced ? `: ${last.unplaced}` : '';
    return {
      ok: false,
      problem: { kind: 'soldOut', message: `the backend had no place for the pod within ${seconds} s${why}` },
    };
  }

  /** The pod as its author wants it now, with what there is of what it refers to. */
  #present(state: PodState, run: Run, sources: WorkloadSources): Workload {
    const { ref, revision, sizedNow } = state;
    const { workload } = resolvePresent(run.pod, sources, run.facts);
    const pod = state.pod ? this.#linked(sizedAs(state.pod, sizedNow), state).pod : run.pod;
    return { ref, pod, revision, ...workload, ...run.reaches };
  }

  /** The pod with its agent, if it has or gets one: what runs keeps what it was started with. */
  #linked(pod: Pod, { last }: PodState): Run {
    const { link, facts } = this.#options;
    const own: Run = { pod, facts: facts(), sources: (read) => read, reaches: {} };
    const isLinked = last?.spec === undefined ? usesClusterDns(pod) : hasAgent(last.spec);
    if (link === undefined || !isLinked) return own;
    if (link.obstacle) return { ...own, obstacle: link.obstacle };
    return {
      pod: link.withAgent(pod),
      facts: { ...own.facts, dns: { ...own.facts.dns, clusterServers: [link.nameServer] } },
      sources: (read) => ({ ...read, services: byName(read.services) }),
      reaches: { clusterServices: true },
    };
  }

  get #following(): Following {
    return this.#options.backend.capabilities;
  }

  #volumes({ pod, facts }: Run, sources: WorkloadSources): ReturnType<typeof resolveVolumes> {
    if (this.#following.volumeUpdates !== true) return { volumes: new Map(), missing: [] };
    return resolveVolumes(pod, sources, facts);
  }

  #pullSecrets(pod: Pod, sources: WorkloadSources): Pick<Content, 'pullSecrets'> {
    const names = pullSecretsOf(pod);
    if (this.#following.pullSecretUpdates !== true || names.length === 0) return {};
    return { pullSecrets: digestOfSecrets(names.map((name) => sources.secret(name))) };
  }

  /** What is missing is waited for; nothing else of the pod is of interest yet. */
  #lacks(ref: InstanceRef, missing: readonly MissingReference[], sources: WorkloadSources): Outcome {
    this.#follow(
      ref,
      missing.flatMap(({ kind, name }) =>
        kind === 'configMap' || kind === 'secret'
          ? [{ kind, namespace: ref.namespace, name, seen: sources[kind](name)?.metadata?.resourceVersion }]
          : [],
      ),
    );
    return { ok: false, problem: missingProblem(missing) };
  }

  #follow(ref: InstanceRef, objects: readonly WatchedObject[]): void {
    this.#options.follow?.(ref, objects);
  }

  #now(): number {
    const { clock = systemClock } = this.#options.references;
    return clock.now();
  }

  /** Not found, or another UID: it is not our pod any more, which is what was wanted, if it is our cluster that says so. */
  async #deletePod(ref: InstanceRef, signal: AbortSignal): Promise<Outcome> {
    const { namespace, name, uid } = ref;
    try {
      await this.#options.client
        .resource(pods)
        .delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid }, parse: parseObject, signal });
      return ok;
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return this.#confirmGone(ref, signal);
      throw error;
    }
  }
}

/** What runs for a pod, and how it sees its cluster. */
interface Run {
  readonly pod: Pod;
  readonly facts: WorkloadFacts;
  readonly sources: <T extends WorkloadSources>(read: T) => T;
  readonly reaches: Pick<Workload, 'clusterServices'>;
  /** What is lacking. */
  readonly obstacle?: Problem;
}

/** What a resourceFieldRef says is what the containers get, so everything is resolved in the sized pod. */
function podToRun({ pod, sized }: PodState): Pod | undefined {
  return pod && sizedAs(pod, sized);
}

function sizedAs(pod: Pod, sized: PodState['sized']): Pod {
  return sized === undefined ? pod : asSized(pod, sized);
}

/** What the pod does without. */
function absentOf(
  { configMaps, secrets }: PodReferences,
  sources: WorkloadSources,
): NonNullable<InstanceChange['absent']> {
  const names = (objects: PodReferences['secrets'], kind: 'configMap' | 'secret'): string[] =>
    objects.filter(({ name, optional }) => optional && !sources[kind](name)).map(({ name }) => name);
  return { configMaps: names(configMaps, 'configMap'), secrets: names(secrets, 'secret') };
}

/** The objects of all, and the tokens of those that follow: others are not asked for again. */
function allOf({ configMaps, secrets, claims }: PodReferences, { tokens }: PodReferences): PodReferences {
  return { configMaps, secrets, claims, tokens };
}

function pullSecretsOf({ spec }: Pod): string[] {
  return (spec?.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
}

/** The references that follow, without what can never change. */
function followedBy(pod: Pod, following: Following, sources: WorkloadSources): WatchedObject[] {
  const { namespace } = instanceRef(pod);
  const { configMaps, secrets } = followingReferencesOf(pod, following);
  const watched = (kind: WatchedObject['kind'], name: string): WatchedObject[] => {
    const object = sources[kind](name);
    return object?.immutable ? [] : [{ kind, namespace, name, seen: object?.metadata?.resourceVersion }];
  };
  return [
    ...configMaps.flatMap(({ name }) => watched('configMap', name)),
    ...secrets.flatMap(({ name }) => watched('secret', name)),
  ];
}

function missingProblem(missing: readonly MissingReference[]): Problem {
  const first = missing.find(({ waiting }) => waiting.reason === 'CreateContainerConfigError') ?? missing[0];
  return {
    kind: 'missingReference',
    message: first?.waiting.message ?? first?.event.message ?? 'something that the pod refers to is missing',
    reason: first?.waiting.reason,
    notices: missing.flatMap(({ event, also }) => (also === undefined ? [event] : [event, also])),
  };
}

/** Another claim of the same name may do. */
function refusedProblem(refusals: readonly Refusal[], ref: InstanceRef): Problem {
  const notices = noticesOfRefusals(refusals, ref);
  return { kind: 'missingReference', ...waitingForRefusals(refusals), notices };
}

function isExpected(error: unknown): boolean {
  return error instanceof BackendError || error instanceof ApiError || error instanceof TransportError;
}

function problemOf(error: unknown): Problem {
  if (error instanceof BackendError) {
    const { kind, message, retryAfterMs, remedy, reason } = error;
    return { kind, message, retryAfterMs, remedy, reason };
  }
  if (error instanceof ApiError) return { kind: 'api', message: error.message, retryAfterMs: error.retryAfterMs };
  if (error instanceof TransportError) return { kind: 'api', message: error.message };
  return { kind: 'internal', message: errorMessage(error) };
}
