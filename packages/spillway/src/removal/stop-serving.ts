import {
  claimedLease,
  deployments,
  isAlreadyExists,
  isConflict,
  type KubeClient,
  type KubeObject,
  type Lease,
  leases as leaseType,
  nameOf,
  type Node,
  nodes,
  pods,
  refOf,
  resourceVersionOf,
} from '@spillway/kube';
import { leaderOf } from '../addon/installation/leader-of.ts';
import { type Config, placementLeaseName, poolLeaseName } from '../config/config.ts';
import { isRemoval, removalIdentity } from '../pool/elected.ts';
import { selectorTextOf } from '../podspec/installation.ts';
import { undefinedIfMissing } from './clear-cluster.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Persistence } from './persist.ts';
import { RemovalError } from './removal-error.ts';
import { nodeLeaseNamespace } from './read-cluster.ts';
import { servingVerdict } from './serving.ts';

/** On a virtual node: versions of the leases, by name, that a removal has seen lapse. */
const lapsedAnnotation = 'spillway.dev/uninstalling';
const lookMs = 2000;

/** Versions of leases, by name, that were seen to lapse. */
export type Lapsed = ReadonlyMap<string, string>;

export interface Watch {
  readonly lapsed?: Lapsed;
  /** Whose lease does not count. */
  readonly isOurs?: (lease: Lease) => Promise<boolean>;
  /** Whose holder has ended since. */
  readonly isLeft?: (lease: Lease) => boolean;
  /** What this removal has done so far. */
  readonly done: string;
}

/** @throws RemovalError when somebody serves the installation */
export async function assertNobodyServes(
  client: KubeClient,
  { nodes: ownNodes, leases }: Pick<ClusterView, 'nodes' | 'leases'>,
  { lapsed: known = new Map(), isOurs = async () => false, isLeft = () => false, done }: Watch,
  { tell, clock }: Persistence,
  signal: AbortSignal,
): Promise<Lapsed> {
  const lapsed = new Map([...ownNodes.flatMap((node) => lapsedOf(node)), ...known]);
  const watch = async (first: Lease): Promise<void> => {
    if (isRemoval(first.spec?.holderIdentity ?? '') || (await isOurs(first))) return;
    const sinceMs = clock.now();
    const about = { lapsed: lapsed.get(keyOf(first)), holderEnded: isLeft(first) };
    let latest: Lease | undefined = first;
    let isTold = false;
    for (;;) {
      const now = { watchedMs: clock.now() - sinceMs, nowMs: Date.now() };
      const verdict = servingVerdict(first, latest, { ...now, ...about });
      if (verdict.kind === 'free') break;
      if (verdict.kind === 'serving') {
        if (await isOurs(latest ?? first)) return;
        throw stillServed(latest ?? first, done);
      }
      if (!isTold) {
        tell(`Is Spillway still serving? Watching the lease ${keyOf(first)} for ${Math.ceil(verdict.ms / 1000)} s`);
      }
      isTold = true;
      await clock.sleep(Math.min(lookMs, verdict.ms), signal);
      signal.throwIfAborted();
      latest = await client.resource(leaseType).get(refOf(first), { signal }).catch(undefinedIfMissing);
    }
    lapsed.set(keyOf(first), resourceVersionOf(first));
  };
  await Promise.all(leases.map((lease) => watch(lease)));
  return lapsed;
}

export const keyOf = ({ metadata: { namespace = '', name = '' } = {} }: KubeObject): string => `${namespace}/${name}`;

function stillServed(lease: Lease, done: string): RemovalError {
  const { holderIdentity = 'somebody' } = lease.spec ?? {};
  return new RemovalError(
    `Spillway still serves: ${holderIdentity} renews the lease ${keyOf(lease)}. ${done} Stop every "spillway serve" of this configuration (end the process, or scale its Deployment to 0), and run this again`,
  );
}

function lapsedOf({ metadata }: Node): [string, string][] {
  const said = metadata?.annotations?.[lapsedAnnotation] ?? '';
  return said
    .split(',')
    .map((each) => each.split('='))
    .flatMap(([name, version]): [string, string][] => (name && version ? [[name, version]] : []));
}

/** Whether a pod of the installation holds it. The lease of a node does not say who does: the one of its pool says it. */
export async function isHeldByPod(
  client: KubeClient,
  { name: installation, pools, leaderElection }: Config,
  lease: Lease,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace, name } = refOf(lease);
  const pool = pools.find(({ nodeName }) => namespace === nodeLeaseNamespace && name === nodeName);
  const ref = pool && { namespace: leaderElection.namespace, name: poolLeaseName(leaderElection, pool) };
  const leader = leaderOf(
    ref === undefined ? lease : await client.resource(leaseType).get(ref, { signal }).catch(undefinedIfMissing),
  );
  if (leader === undefined) return false;
  const { items } = await client.resource(pods).list({ labelSelector: selectorTextOf(installation), signal });
  return items.some((pod) => nameOf(pod) === leader);
}

/** A graceful stop takes half a minute; who takes longer than twice that does not stop by itself. */
const stopMs = 60_000;

/** Resolves with whether its pods are gone, or do not go. */
export async function stopDeployments(
  client: KubeClient,
  found: readonly KubeObject[],
  installation: string,
  { tell, clock }: Persistence,
  signal: AbortSignal,
): Promise<boolean> {
  tell(`Stopping ${found.map((each) => `Deployment ${keyOf(each)}`).join(', ')}`);
  for (const each of found) {
    await client
      .resource(deployments)
      .patch(refOf(each), { type: 'merge', body: { spec: { replicas: 0 } } }, { signal })
      .catch(undefinedIfMissing);
  }
  const deadlineMs = clock.now() + stopMs;
  while (clock.now() < deadlineMs) {
    const { items } = await client.resource(pods).list({ labelSelector: selectorTextOf(installation), signal });
    if (items.length === 0) return true;
    await clock.sleep(500, signal);
    signal.throwIfAborted();
  }
  return false;
}

/** Besides the time that there is for the backends. */
const holdMoreSeconds = 300;

/**
 * Takes the leases of the elections for the time of a removal. Whoever is started meanwhile stands by, and so does whoever is started
 * between two runs.
 *
 * @param isInstalled leases that are not there could be made
 * @throws RemovalError when somebody was faster
 */
export async function holdLeases(
  client: KubeClient,
  { leaderElection, pools, placement }: Config,
  leases: readonly Lease[],
  {
    isInstalled,
    timeoutMs,
    done,
  }: { readonly isInstalled: boolean; readonly timeoutMs: number; readonly done: string },
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = leaderElection;
  const leaseDurationSeconds = Math.ceil(timeoutMs / 1000) + holdMoreSeconds;
  const identity = removalIdentity();
  const resource = client.resource(leaseType);
  const wanted = new Set([
    ...leases.filter(({ metadata }) => metadata?.namespace === namespace).map(nameOf),
    ...(isInstalled ? pools.map((pool) => poolLeaseName(leaderElection, pool)) : []),
    ...(isInstalled && placement.enabled ? [placementLeaseName(leaderElection)] : []),
  ]);
  for (const name of wanted) {
    const found = leases.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name);
    const next = claimedLease(found, { identity, namespace, name, leaseDurationSeconds }, new Date());
    try {
      await (found === undefined ? resource.create(next, { signal }) : resource.replace(next, { signal }));
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
      const now = await resource.get({ namespace, name }, { signal });
      // The answer to our own request may have been lost.
      if (now.spec?.holderIdentity !== identity) throw stillServed(now, done);
    }
  }
}

/** No pod is scheduled there from now on; the next run knows that nobody serves. */
export async function closeNodes(
  client: KubeClient,
  { nodes: ownNodes, leases }: Pick<ClusterView, 'nodes' | 'leases'>,
  signal: AbortSignal,
): Promise<void> {
  const lapsed = leases.map((lease) => `${keyOf(lease)}=${resourceVersionOf(lease)}`).join(',');
  const body = { metadata: { annotations: { [lapsedAnnotation]: lapsed } }, spec: { unschedulable: true } };
  for (const node of ownNodes) {
    await client
      .resource(nodes)
      .patch({ name: nameOf(node) }, { type: 'merge', body }, { signal })
      .catch(undefinedIfMissing);
  }
}
