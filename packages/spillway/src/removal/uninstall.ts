import { isAborted, type KubeClient, type KubeObject, type Lease } from '@spillway/kube';
import type { Config } from '../config/config.ts';
import { deletePods, freeWaiting, removeNamespaces, removeObjects, usedNamespaces } from './clear-cluster.ts';
import {
  type ClearContext,
  type ClusterAccess,
  dismantlePool,
  endInstances,
  endPodsOf,
  type OpenPool,
  viewPool,
} from './clear-pool.ts';
import type { ClusterView } from './cluster-view.ts';
import { localLedger } from './local-ledger.ts';
import { isPlaceholder } from './owners.ts';
import { persist, type Persistence, reasonOf } from './persist.ts';
import { foundInCluster, foundInPool, type Found, left, notesOf, type PoolView, whyCrdStays } from './plan.ts';
import { nodeLeaseNamespace, readCluster, type RemovalScope } from './read-cluster.ts';
import { type Item, type Left, type RemovalReport, withoutRemains } from './report.ts';
import { assertNobodyServes, closeNodes, holdLeases, isHeldByPod, keyOf, stopDeployments } from './stop-serving.ts';
import { scheduleProfiles } from '../placement/rules/schedule-profile.ts';

export interface UninstallOptions extends Persistence {
  readonly config: Config;
  readonly clusterId: string;
  readonly pools: readonly OpenPool[];
  /** Absent: only what the backends have is looked at. */
  readonly cluster: ClusterAccess | undefined;
  /** Helm runs this before it removes a release: the namespace, and what Helm knows of the release, are left to it. */
  readonly scope: RemovalScope | undefined;
  /** Absent: that of each pod. */
  readonly graceSeconds: number | undefined;
  readonly keepCrds: boolean;
  /** Then what is left is reported. */
  readonly timeoutMs: number;
}

/** What an installation has, and what of it a removal would take away. Changes nothing. */
export async function planUninstall(options: UninstallOptions, signal: AbortSignal): Promise<RemovalReport> {
  const { clusterId, cluster, config, scope, pools, keepCrds } = options;
  const view = cluster && (await readCluster(cluster.client, config, scope, signal));
  const ofPools = await lookAtPools(pools, signal);
  const found = [...(view ? [foundInCluster(view, { keepCrds })] : []), ...ofPools.map(foundInPool)];
  const used = cluster && view?.neighbours.length === 0 ? await usedNamespaces(cluster.client, view, signal) : [];
  const remains = [...found.flatMap(({ stays }) => stays), ...used];
  return {
    dryRun: true,
    clusterId,
    removed: withoutRemains(
      found.flatMap(({ ours }) => ours),
      remains,
    ),
    remains,
    others: found.flatMap(({ others }) => others),
    notes: view ? notesOf(view, ofPools, { keepCrds }) : [],
  };
}

async function lookAtPools(pools: readonly OpenPool[], signal: AbortSignal): Promise<readonly PoolView[]> {
  const views: PoolView[] = [];
  for (const pool of pools) views.push(await viewPool(pool, signal));
  return views;
}

/**
 * Takes an installation away, in an order in which it can be interrupted anywhere: another run completes it. What costs money
 * goes before what is needed to find it.
 *
 * @throws RemovalError when it is still served; then nothing was changed
 */
export async function uninstall(options: UninstallOptions, signal: AbortSignal): Promise<RemovalReport> {
  const { clusterId, cluster } = options;
  const work = new Removal(options, signal);
  const view = cluster && (await work.begin(cluster));
  await work.clearPools();
  if (cluster && view) await work.clearCluster(cluster);
  const after = await work.end();
  const remains = [
    ...after.flatMap(({ ours, stays }) => [
      ...stays,
      ...ours.map((item): Left => ({ ...item, why: work.whyLeft(item) })),
    ]),
    ...work.kept,
  ];
  return {
    dryRun: false,
    clusterId,
    removed: withoutRemains(work.removed, remains),
    remains,
    others: [...after.flatMap(({ others }) => others), ...work.others],
    notes: [],
  };
}

class Removal {
  readonly removed: Item[] = [];
  readonly others: Left[] = [];
  /** Of this installation, and kept because others use it. */
  readonly kept: Left[] = [];
  readonly #options: UninstallOptions;
  readonly #signal: AbortSignal;
  /** Until time is up. */
  readonly #working: AbortSignal;
  readonly #troubles = new Map<string, string>();
  readonly #context: ClearContext;

  constructor(options: UninstallOptions, signal: AbortSignal) {
    const { tell, clock, graceSeconds, timeoutMs } = options;
    this.#options = options;
    this.#signal = signal;
    this.#working = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    this.#context = { tell, clock, graceSeconds, removed: (items) => this.removed.push(...items) };
  }

  /** Nothing of it holds up the cluster any more, and its pods are told to end. */
  async begin({ client }: ClusterAccess): Promise<ClusterView> {
    const { graceSeconds, tell } = this.#options;
    const view = await this.#stop(client);
    await closeNodes(client, view, this.#signal);
    const burst = view.pods.filter((pod) => !isPlaceholder(pod));
    if (burst.length > 0) tell(`Deleting ${burst.length} pods on virtual nodes`);
    this.removed.push(...(await deletePods(client, burst, graceSeconds, this.#signal)));
    return view;
  }

  /** Nobody serves from now on. Admission goes before those who answer for it; nothing goes if somebody else than the Deployment serves. */
  async #stop(client: KubeClient): Promise<ClusterView> {
    const { config, scope, tell, timeoutMs } = this.#options;
    const signal = this.#signal;
    const read = (): Promise<ClusterView> => readCluster(client, config, scope, signal);
    let view = await read();
    const found = deploymentsIn(view.workload);
    const ours = new Set<string>();
    const isOurs = async (lease: Lease): Promise<boolean> => {
      if (found.length === 0 || !(await isHeldByPod(client, config, lease, signal))) return false;
      ours.add(keyOf(lease));
      return true;
    };
    const before = { isOurs, done: 'Nothing was changed.' };
    const lapsed = await assertNobodyServes(client, view, before, this.#options, signal);
    if (view.admission.length > 0) tell(`Removing ${view.admission.length} objects of admission`);
    this.removed.push(...(await removeObjects(client, view.admission, signal)));
    const isInstalled = found.length > 0;
    const done = `Its admission policies and webhooks were removed${isInstalled ? ' and its Deployment was stopped' : ''}, and nothing else was changed.`;
    if (isInstalled) {
      const areGone = await stopDeployments(client, found, config.name, this.#options, signal);
      // A process that stops gives up its leases, which is no renewal.
      view = await read();
      const after = { lapsed, isLeft: (lease: Lease) => areGone && ours.has(keyOf(lease)), done };
      await assertNobodyServes(client, view, after, this.#options, signal);
    }
    await holdLeases(client, config, view.leases, { isInstalled, timeoutMs, done }, signal);
    return view;
  }

  async clearPools(): Promise<void> {
    const { config, pools, cluster } = this.#options;
    await Promise.all(
      pools.map((pool) =>
        this.#try(pool, async () => {
          // Without the cluster, others may serve who write to it.
          const ledger = cluster && (await localLedger(config, pool.config));
          const context = { ...this.#context, ledger };
          try {
            if (cluster) await endPodsOf(pool, cluster, context, this.#working);
            await endInstances(pool, context, this.#working);
            ledger?.listed({ missing: () => true });
          } finally {
            await ledger?.close();
          }
        }),
      ),
    );
    // A namespace that pools share goes with the last of them: what keeps it at the first is gone at the second.
    for (const pool of [...pools, ...(pools.length > 1 ? pools : [])]) {
      await this.#try(pool, () => dismantlePool(pool, this.#context, this.#working));
    }
  }

  /** What is in the cluster besides pods. The nodes and the rest stay while instances are left, for the next run. */
  async clearCluster({ client }: ClusterAccess): Promise<void> {
    const { config, scope, tell, keepCrds } = this.#options;
    const signal = this.#signal;
    const read = (): Promise<ClusterView> =>
      persist('cluster', () => readCluster(client, config, scope, signal), this.#context, signal);
    let view = await read();
    if (view.waiting.length > 0) tell(`Freeing ${view.waiting.length} pods that wait for Spillway`);
    this.others.push(...(await freeWaiting(client, view.waiting, signal)));
    if (this.#troubles.size > 0) return;
    tell('Removing virtual nodes, leases and rights');
    this.removed.push(...(await removeObjects(client, view.nodes, signal)));
    // Placeholders go with their nodes; what has come since then, too.
    view = { ...(await read()), definition: view.definition };
    await deletePods(client, view.pods, 0, signal);
    this.removed.push(
      ...(await removeObjects(
        client,
        // What somebody has brought back meanwhile goes, too.
        [
          ...view.admission,
          ...view.leases.filter(isOfNode),
          ...view.signingRequests,
          ...view.records,
          ...view.workload,
          ...view.rights,
        ],
        signal,
      )),
    );
    const now = await read();
    const held = now.leases.filter((lease) => !isOfNode(lease));
    const back = deploymentsIn(now.workload);
    if (back.length > 0) {
      this.kept.push(
        ...back.map((each) => left(each, 'somebody has created it again', 'Stop who does that, and run this again')),
        ...held.map((each) => left(each, 'kept, so that the Deployment does not serve')),
      );
      return;
    }
    this.removed.push(...(await removeObjects(client, held, signal)));
    const { definition, profiles } = view;
    if (definition !== undefined && whyCrdStays(view, keepCrds) === undefined) {
      this.removed.push(...(await removeObjects(client, profiles, signal, () => scheduleProfiles)));
      this.removed.push(...(await removeObjects(client, [definition], signal)));
    }
    if (view.neighbours.length > 0 || scope !== undefined) return;
    const { removed, kept } = await removeNamespaces(client, view.namespaces, this.#options, signal);
    this.removed.push(...removed);
    this.kept.push(...kept);
  }

  /** Looks anew, and waits a little for what goes by itself, and for a backend that fails to tell what it has. */
  async end(): Promise<readonly Found[]> {
    const { cluster, config, scope, clock, keepCrds, pools, tell } = this.#options;
    tell('Looking at what is left');
    const known = new Set([...this.others, ...this.kept].map(({ kind, name }) => `${kind}/${name}`));
    const deadlineMs = clock.now() + patienceMs;
    for (;;) {
      const view = cluster && (await readCluster(cluster.client, config, scope, this.#signal));
      const ofPools = await lookAtPools(pools, this.#signal);
      const found = [...(view ? [foundInCluster(view, { keepCrds })] : []), ...ofPools.map(foundInPool)];
      const rest = found.map((each) => ({
        ...each,
        ours: each.ours.filter(({ kind, name }) => !known.has(`${kind}/${name}`)),
      }));
      if (this.#troubles.size > 0 || clock.now() > deadlineMs) return rest;
      const isUnseen = ofPools.some((pool) => 'trouble' in pool);
      if (!isUnseen && rest.every(({ ours }) => ours.length === 0)) return rest;
      await clock.sleep(lookMs, this.#signal);
      this.#signal.throwIfAborted();
    }
  }

  whyLeft({ pool, kind }: Item): string {
    const trouble = pool === undefined ? [...this.#troubles.values()][0] : this.#troubles.get(pool);
    if (trouble === undefined) return 'it is still there';
    return pool === undefined && kind !== 'Pod' ? `kept until the backend has nothing left: ${trouble}` : trouble;
  }

  async #try({ config: { name } }: OpenPool, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!this.#working.aborted && !isAborted(error)) throw error;
      const why = `${timedOut(this.#options.timeoutMs)}: ${reasonOf(error)}`;
      this.#troubles.set(name, this.#troubles.get(name) ?? why);
    }
  }
}

const deploymentsIn = (workload: readonly KubeObject[]): readonly KubeObject[] =>
  workload.filter(({ kind }) => kind === 'Deployment');

const isOfNode = ({ metadata }: Lease): boolean => metadata?.namespace === nodeLeaseNamespace;

const patienceMs = 30_000;
const lookMs = 500;
const timedOut = (ms: number): string => `it could not be removed within ${Math.round(ms / 1000)} s (--timeout)`;
