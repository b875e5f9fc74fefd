import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Answers take from a millisecond (a local runtime) to minutes (a cloud that makes machines). */
const operationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/**
 * All metrics of one process. Label values come from closed sets, never from pods' names or UIDs, so that the number
 * of series does not grow with the cluster.
 */
export class Metrics {
  readonly registry: Registry;

  readonly pods: Gauge<'pool' | 'phase'>;
  readonly actors: Gauge<'pool'>;
  readonly actorQueue: Gauge<'pool'>;
  readonly actorSteps: Counter<'pool'>;

  readonly operations: Counter<'pool' | 'operation' | 'result'>;
  readonly operationSeconds: Histogram<'pool' | 'operation'>;
  readonly podStageSeconds: Histogram<'pool' | 'stage'>;
  readonly podStartSeconds: Histogram<'pool'>;
  readonly operationsInFlight: Gauge<'pool' | 'operation'>;

  readonly statusWrites: Counter<'pool' | 'result'>;
  readonly statusWritesWaiting: Gauge<'pool'>;
  readonly referencesWatched: Gauge<'pool'>;
  readonly events: Counter<'pool' | 'type' | 'result'>;

  readonly listings: Counter<'pool' | 'result'>;
  readonly listingSeconds: Histogram<'pool'>;
  readonly instances: Gauge<'pool'>;
  readonly orphans: Gauge<'pool'>;
  readonly orphansHeldBack: Gauge<'pool'>;
  readonly orphansRemoved: Counter<'pool'>;
  readonly doublesEnded: Counter<'pool'>;
  readonly lossesHeldBack: Gauge<'pool'>;

  readonly ledgerWrites: Counter<'pool' | 'result'>;

  readonly usageRequests: Counter<'pool' | 'result'>;
  readonly usageRequestSeconds: Histogram<'pool'>;
  readonly usagePods: Gauge<'pool'>;

  readonly nodeLeaseRenewed: Gauge<'pool'>;
  readonly nodeLeaseErrors: Counter<'pool'>;
  readonly heartbeatRenewed: Gauge<'pool'>;
  readonly heartbeatRenewals: Counter<'pool' | 'result'>;
  readonly nodeWrites: Counter<'pool' | 'what' | 'result'>;
  readonly backendReachable: Gauge<'pool'>;
  readonly poolBlocked: Gauge<'pool'>;

  readonly kubeletRequests: Counter<'pool' | 'route' | 'code'>;
  readonly kubeletRequestSeconds: Histogram<'pool' | 'route'>;
  readonly kubeletStreams: Gauge<'pool'>;

  readonly bindings: Counter<'pool' | 'policy' | 'reason'>;
  readonly bindErrors: Counter<'pool' | 'code'>;
  readonly unschedulableToBoundSeconds: Histogram<'pool'>;
  readonly creationToBoundSeconds: Histogram<'pool'>;
  readonly podsWaitingForPool: Gauge<'reason'>;
  readonly scaleIns: Counter;
  readonly scaleInMisses: Counter;
  readonly podsReclaimed: Counter<'reason'>;
  readonly profilePods: Gauge<'profile' | 'standing'>;
  readonly placementEventsDropped: Counter<'why'>;
  readonly admissionRequests: Counter<'endpoint' | 'result'>;
  readonly admissionSeconds: Histogram<'endpoint'>;
  readonly linkAgents: Gauge;
  readonly linkServices: Gauge;
  readonly linkLogins: Counter<'result'>;
  readonly linkMessages: Counter;

  readonly apiRequests: Counter<'lane' | 'verb' | 'resource' | 'code'>;
  readonly apiRequestSeconds: Histogram<'lane' | 'verb'>;
  readonly apiQueueSeconds: Histogram<'lane'>;

  readonly #beforeRender = new Set<() => void>();

  constructor(registry: Registry = new Registry()) {
    this.registry = registry;
    const registers = [registry];
    const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> =>
      new Gauge({ name: `spillway_${name}`, help, labelNames, registers });
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
      new Counter({ name: `spillway_${name}`, help, labelNames, registers });
    const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> =>
      new Histogram({ name: `spillway_${name}`, help, labelNames, buckets: operationBuckets, registers });

    this.pods = gauge('pods', 'Pods bound to the virtual node, by status.phase', ['pool', 'phase']);
    this.actors = gauge('pod_actors', 'Pods and leftover instances that Spillway manages', ['pool']);
    this.actorQueue = gauge('pod_actor_queue', 'Actors that wait for their next step', ['pool']);
    this.actorSteps = counter('pod_actor_steps_total', 'Decisions taken', ['pool']);
    this.operations = counter('operations_total', 'Operations for pods, by kind and result', [
      'pool',
      'operation',
      'result',
    ]);
    this.operationSeconds = histogram('operation_seconds', 'Duration of operations for pods', ['pool', 'operation']);
    this.podStageSeconds = histogram(
      'pod_stage_seconds',
      'Duration of each stage of the start of pods that became Ready',
      ['pool', 'stage'],
    );
    this.podStartSeconds = histogram('pod_start_seconds', 'Time from the binding of a pod until it is Ready', ['pool']);
    this.operationsInFlight = gauge('operations_in_flight', 'Operations in progress', ['pool', 'operation']);
    this.statusWrites = counter('status_writes_total', 'Pod statuses: written, unchanged, refused, failed', [
      'pool',
      'result',
    ]);
    this.referencesWatched = gauge('references_watched', 'ConfigMaps and Secrets watched for pods', ['pool']);
    this.statusWritesWaiting = gauge('status_writes_waiting', 'Pods whose latest status is not written yet', ['pool']);
    this.events = counter('events_total', 'Events on pods: recorded, or held back by the limit for one pod', [
      'pool',
      'type',
      'result',
    ]);
    this.listings = counter('backend_listings_total', 'Listings of all instances: complete, incomplete, failed', [
      'pool',
      'result',
    ]);
    this.listingSeconds = histogram('backend_listing_seconds', 'Duration of listings', ['pool']);
    this.instances = gauge('backend_instances', 'Instances in the newest complete listing', ['pool']);
    this.orphans = gauge('orphan_candidates', 'Instances that appear to have no pod', ['pool']);
    this.orphansHeldBack = gauge(
      'orphans_held_back',
      'Instances without a pod that are left alone for a while because there are suspiciously many',
      ['pool'],
    );
    this.orphansRemoved = counter('orphans_removed_total', 'Instances removed because their pod is gone', ['pool']);
    this.doublesEnded = counter('duplicate_instances_total', 'Instances ended because another one has the same pod', [
      'pool',
    ]);
    this.lossesHeldBack = gauge(
      'losses_held_back',
      'Instances that listings lack and that do not count as lost for a while because there are suspiciously many',
      ['pool'],
    );
    this.ledgerWrites = counter('ledger_writes_total', 'Writes of the ledger: ok, failed', ['pool', 'result']);
    this.usageRequests = counter(
      'usage_requests_total',
      'Requests to the backend for what pods use: ok, or the kind of the error',
      ['pool', 'result'],
    );
    this.usageRequestSeconds = histogram(
      'usage_request_seconds',
      'Duration of requests to the backend for what pods use',
      ['pool'],
    );
    this.usagePods = gauge('usage_pods', 'Pods whose usage is known', ['pool']);
    this.nodeLeaseRenewed = gauge('node_lease_renewed_timestamp_seconds', 'Time of the last renewal of the lease', [
      'pool',
    ]);
    this.nodeLeaseErrors = counter('node_lease_errors_total', 'Failed renewals of the lease', ['pool']);
    this.nodeWrites = counter('node_writes_total', 'Writes of the node object', ['pool', 'what', 'result']);
    this.heartbeatRenewed = gauge(
      'heartbeat_renewed_timestamp_seconds',
      'When the heartbeat for the dead-man switch was last renewed',
      ['pool'],
    );
    this.heartbeatRenewals = counter('heartbeat_renewals_total', 'Renewals of the heartbeat: ok, failed', [
      'pool',
      'result',
    ]);
    this.backendReachable = gauge('backend_reachable', '1 while the backend answers its health check', ['pool']);
    this.poolBlocked = gauge('pool_blocked', '1 while the pool accepts no new pods', ['pool']);
    this.kubeletRequests = counter('kubelet_requests_total', 'Requests to the kubelet API', ['pool', 'route', 'code']);
    this.kubeletRequestSeconds = histogram('kubelet_request_seconds', 'Duration of requests to the kubelet API', [
      'pool',
      'route',
    ]);
    this.kubeletStreams = gauge('kubelet_streams', 'Logs and commands that are being served', ['pool']);
    this.bindings = counter('bindings_total', 'Pods that were bound to a pool, by burst policy and why', [
      'pool',
      'policy',
      'reason',
    ]);
    this.bindErrors = counter('bind_errors_total', 'Bindings that the API server rejected', ['pool', 'code']);
    this.unschedulableToBoundSeconds = histogram(
      'unschedulable_to_bound_seconds',
      'Time from when a pod was seen Unschedulable until it was bound to a pool',
      ['pool'],
    );
    this.creationToBoundSeconds = histogram(
      'creation_to_bound_seconds',
      'Time from when a new pod was seen until it was bound to a pool',
      ['pool'],
    );
    this.podsWaitingForPool = gauge('pods_waiting_for_pool', 'Pods that may burst but that no pool accepts now', [
      'reason',
    ]);
    this.scaleIns = counter('scale_ins_total', 'Scale-ins of ReplicaSets that were checked', []);
    this.scaleInMisses = counter(
      'scale_in_misses_total',
      'Ready pods of real nodes that a scale-in removed before a Ready burst pod',
      [],
    );
    this.podsReclaimed = counter('pods_reclaimed_total', 'Pods deleted because their pool had no room for too long', [
      'reason',
    ]);
    this.profilePods = gauge('schedule_profile_pods', 'Pods of a ScheduleProfile, by their state', [
      'profile',
      'standing',
    ]);
    this.placementEventsDropped = counter(
      'placement_events_dropped_total',
      'Events of placement that could not be written',
      ['why'],
    );
    this.admissionRequests = counter('admission_requests_total', 'Requests to the admission webhooks', [
      'endpoint',
      'result',
    ]);
    this.admissionSeconds = histogram('admission_request_seconds', 'Duration of requests to the admission webhooks', [
      'endpoint',
    ]);
    this.linkAgents = gauge('link_agents', 'Link agents that are connected to this process', []);
    this.linkServices = gauge('link_services', 'Services that link agents follow, each counted once', []);
    this.linkLogins = counter('link_logins_total', 'Logins of link agents, by result', ['result']);
    this.linkMessages = counter('link_messages_total', 'Messages sent to link agents', []);
    this.apiRequests = counter('api_requests_total', 'Requests to the API server', [
      'lane',
      'verb',
      'resource',
      'code',
    ]);
    this.apiRequestSeconds = histogram('api_request_seconds', 'Duration of requests to the API server', [
      'lane',
      'verb',
    ]);
    this.apiQueueSeconds = histogram('api_queue_seconds', 'Time that requests waited for their lane', ['lane']);
    // Memory, CPU, garbage collection, and the event loop's lag since the last look.
    collectDefaultMetrics({ register: registry });
  }

  /** In the shape of the client's `onRequest`. */
  recordRequest(request: {
    readonly method: string;
    readonly resource: string;
    readonly lane: string;
    readonly status: number;
    readonly durationMs: number;
    readonly queuedMs: number;
  }): void {
    const { lane, method: verb, resource } = request;
    this.apiRequests.inc({ lane, verb, resource, code: String(request.status) });
    this.apiRequestSeconds.observe({ lane, verb }, request.durationMs / 1000);
    this.apiQueueSeconds.observe({ lane }, request.queuedMs / 1000);
  }

  /** For values that are looked up when somebody asks. */
  beforeRender(look: () => void): Disposable {
    this.#beforeRender.add(look);
    return { [Symbol.dispose]: () => void this.#beforeRender.delete(look) };
  }

  /** The text format of Prometheus. */
  async render(): Promise<string> {
    for (const look of this.#beforeRender) look();
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}
