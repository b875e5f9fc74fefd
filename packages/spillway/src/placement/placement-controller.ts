import {
  controllerOf,
  type EventRecorder,
  Informer,
  isNotFound,
  type KubeClient,
  type KubeObject,
  type Logger,
  nodes,
  objectKey,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type Pod,
  pods,
  type RateLimiter,
  type ReplicaSet,
  replicaSets,
  type ResourceType,
  type Sharing,
  type StorageClass,
  storageClasses,
  systemClock,
  type Node,
} from '@spillway/kube';
import { Binder } from './binder/binder.ts';
import { BoundPods } from './binder/bound-pods.ts';
import { type AskPools, askPools, type Pool } from '../podspec/fit/fit.ts';
import { selectsNode, untoleratedTaints } from '../podspec/fit/node-match.ts';
import { claimVolumes } from '../podspec/claims.ts';
import { ClusterNodes } from './binder/cluster-nodes.ts';
import type { PlacementObserver } from './observer.ts';
import { ProfileController } from './profiles/profile-controller.ts';
import { ScaleInWatch } from './scale-in/scale-in-watch.ts';
import { type ScheduleProfile, scheduleProfiles } from './rules/schedule-profile.ts';
import { slimPod } from './slim-pod.ts';
import { Reclaimer } from './give-back/reclaimer.ts';

export interface PlacementOptions {
  /** The controller's own identity. */
  readonly client: KubeClient;
  /** With others in this process who know the same pods. */
  readonly podSharing?: Sharing<Pod> | undefined;
  readonly pools: readonly Pool[];
  readonly overflowDelayMs: number;
  readonly soldOutPatienceMs: number;
  readonly bindRate?: RateLimiter<string> | undefined;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly observer: PlacementObserver;
  readonly logger: Logger;
}

/** Its node looks at a pod at once. */
const refusedPatienceMs = 2000;
const byReplicaSet = 'replicaSet';
const byClaim = 'claim';

/**
 * Decides what the scheduler cannot: which pods burst and to which pool, how many pods of a profile are where, and who goes
 * first. Never changes the number of replicas and never moves a pod that runs. One of them at a time in a cluster.
 */
export class PlacementController {
  readonly #options: PlacementOptions;
  readonly #nodes: ClusterNodes;
  readonly #ask: AskPools;
  readonly #pods: Informer<Pod>;
  readonly #nodeInformer: Informer<Node>;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;
  readonly #storageClasses: Informer<StorageClass>;
  readonly #replicaSets: Informer<ReplicaSet>;
  readonly #profiles: Informer<ScheduleProfile>;
  readonly #binder: Binder;
  readonly #boundPods: BoundPods;
  readonly #profileController: ProfileController;
  readonly #scaleIn: ScaleInWatch;
  readonly #reclaimer: Reclaimer;

  constructor(options: PlacementOptions) {
    const { client, pools, recorder, observer, logger } = options;
    this.#options = options;
    this.#nodes = new ClusterNodes(pools.map(({ nodeName }) => nodeName));
    this.#ask = askPools(pools, (nodeName) => this.#nodes.pool(nodeName));
    const isVirtual = (nodeName: string): boolean => this.#nodes.isVirtual(nodeName);
    this.#pods = this.#informer(pods, {
      transform: (pod) => slimPod(pod, isVirtual),
      sharing: options.podSharing,
      indexes: { [byReplicaSet]: replicaSetOf, [byClaim]: claimsOfUnbound },
    });
    this.#nodeInformer = this.#informer(nodes);
    this.#claims = this.#informer(persistentVolumeClaims);
    this.#volumes = this.#informer(persistentVolumes);
    this.#storageClasses = this.#informer(storageClasses);
    this.#replicaSets = this.#informer(replicaSets, { transform: slimReplicaSet });
    this.#profiles = this.#informer(scheduleProfiles);
    const store = this.#pods.store;
    const onError = (error: unknown): void => logger.warn({ err: error }, 'placement: a write failed; trying again');
    this.#profileController = new ProfileController({
      client,
      pods: store,
      isVirtual,
      ask: this.#ask,
      recorder,
      observer,
      logger,
    });
    const profileOf = (pod: Pod): ScheduleProfile | undefined => this.#profileController.profileOf(pod);
    this.#binder = new Binder({
      client,
      pools,
      pods: store,
      nodes: this.#nodes,
      claims: {
        claim: (namespace, name) => this.#claims.store.get(namespace, name),
        volume: (name) => this.#volumes.store.get('', name),
        storageClass: (name) => (name === undefined ? undefined : this.#storageClasses.store.get('', name)),
      },
      profileOf,
      overflowDelayMs: options.overflowDelayMs,
      rate: options.bindRate,
      recorder,
      clock: systemClock,
      observer,
      onError,
    });
    this.#boundPods = new BoundPods({
      client,
      pods: store,
      sideOf: (nodeName) => (this.#nodes.isPool(nodeName) ? 'cci' : isVirtual(nodeName) ? undefined : 'local'),
      profileOf,
      onError,
    });
    this.#scaleIn = new ScaleInWatch({
      pods: store,
      podsOf: (replicaSet) => store.byIndex(byReplicaSet, replicaSet),
      isVirtual,
      onScaledIn: (misses) => observer.scaledIn(misses),
    });
    this.#reclaimer = new Reclaimer({
      client,
      pods: store,
      isPool: (nodeName) => this.#nodes.isPool(nodeName),
      hasAlternative: (pod) => this.#hasAlternative(pod),
      patienceMs: { noRoom: options.soldOutPatienceMs, refused: refusedPatienceMs },
      recorder,
      onReclaimed: (reason) => observer.reclaimed(reason),
      onError,
    });
    this.#subscribe();
  }

  /** Pods that no pool takes now, by why. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#binder.waiting;
  }

  /** Resolves when `signal` is aborted and all has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const first = [this.#nodeInformer, this.#claims, this.#volumes, this.#storageClasses];
    await Promise.all([
      ...[...first, this.#replicaSets].map((informer) => informer.run(signal)),
      this.#work(first, signal),
    ]);
  }

  /** Nothing is decided before all is known that decides. */
  async #work(first: readonly { readonly synced: Promise<void> }[], signal: AbortSignal): Promise<void> {
    if (!(await synced(first))) return;
    const watchingPods = this.#pods.run(signal);
    if (await synced([this.#pods])) {
      await Promise.all([
        this.#binder.run(signal),
        this.#boundPods.run(signal),
        this.#reclaimer.run(signal),
        // Their places are counted only when all pods are known.
        this.#profiles.run(signal),
        this.#profileController.run(signal),
      ]);
    }
    await watchingPods;
  }

  /** Of what keeps a pod away only its selectors, affinity and the taints are looked at. */
  #hasAlternative(pod: Pod): boolean {
    if (this.#ask(pod).some(({ fit }) => fit.kind !== 'refused' && fit.kind !== 'selector')) return true;
    const tolerations = pod.spec?.tolerations ?? [];
    return [...this.#nodes.real()].some(
      (node) => selectsNode(pod, node) && untoleratedTaints(tolerations, node.spec?.taints ?? []).length === 0,
    );
  }

  #subscribe(): void {
    const podSeen = (pod: Pod): void => {
      this.#binder.podSeen(pod);
      this.#boundPods.podSeen(pod);
      this.#profileController.podSeen(pod);
      this.#reclaimer.podSeen(pod);
    };
    this.#pods.subscribe({
      added: podSeen,
      changed: (_, pod) => podSeen(pod),
      deleted: (pod) => {
        this.#binder.podGone(pod);
        this.#profileController.podGone(pod);
        this.#reclaimer.podGone(pod);
      },
    });
    this.#nodeInformer.subscribe({
      added: (node) => this.#binder.nodeSeen(node),
      changed: (_, node) => this.#binder.nodeSeen(node),
      deleted: (node) => this.#binder.nodeGone(node),
    });
    const claimSeen = ({ metadata }: KubeObject): void => this.#claimChanged(metadata?.namespace, metadata?.name);
    this.#claims.subscribe({ added: claimSeen, changed: (_, claim) => claimSeen(claim) });
    const volumeSeen = ({ spec }: PersistentVolume): void =>
      this.#claimChanged(spec?.claimRef?.namespace, spec?.claimRef?.name);
    this.#volumes.subscribe({ added: volumeSeen, changed: (_, volume) => volumeSeen(volume) });
    this.#replicaSets.subscribe({
      changed: (old, replicaSet) => this.#scaleIn.replicaSetSeen(old, replicaSet),
      deleted: (replicaSet) => this.#scaleIn.replicaSetGone(replicaSet),
    });
    this.#profiles.subscribe({
      added: (profile) => this.#profileController.profileSeen(profile),
      changed: (_, profile) => this.#profileController.profileSeen(profile),
      deleted: (profile) => this.#profileController.profileGone(profile),
      synced: () => this.#profileController.profilesSynced(),
    });
  }

  #claimChanged(namespace = '', name = ''): void {
    this.#binder.lookAgain(this.#pods.store.byIndex(byClaim, objectKey(namespace, name)));
  }

  #informer<T extends KubeObject>(
    type: ResourceType<T>,
    more: Partial<ConstructorParameters<typeof Informer<T>>[0]> = {},
  ): Informer<T> {
    const { client, logger } = this.#options;
    return new Informer<T>({
      client,
      type,
      lane: 'placement-watch',
      logger,
      onError: (error) => {
        // The kind is not installed in every cluster.
        const isOptional = type.kind === scheduleProfiles.kind && isNotFound(error);
        if (!isOptional) logger.warn({ err: error }, `cannot watch ${type.plural}; trying again`);
      },
      ...more,
    });
  }
}

async function synced(informers: readonly { readonly synced: Promise<void> }[]): Promise<boolean> {
  const results = await Promise.allSettled(informers.map((informer) => informer.synced));
  return results.every(({ status }) => status === 'fulfilled');
}

function replicaSetOf(pod: Pod): string | undefined {
  const owner = controllerOf(pod);
  return owner?.kind === 'ReplicaSet' ? owner.uid : undefined;
}

function claimsOfUnbound(pod: Pod): readonly string[] {
  if ((pod.spec?.nodeName ?? '') !== '') return [];
  return claimVolumes(pod).map(({ name }) => objectKey(pod.metadata?.namespace ?? '', name));
}

function slimReplicaSet(replicaSet: ReplicaSet): ReplicaSet {
  const { spec } = replicaSet;
  return spec === undefined ? replicaSet : { ...replicaSet, spec: { ...spec, template: {} } };
}
