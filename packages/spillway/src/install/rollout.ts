import type {
  CertificateSigningRequest,
  ContainerStatus,
  Deployment,
  KubeObject,
  Lease,
  Node,
  Pod,
} from '@spillway/kube';
import { nameOf } from '@spillway/kube';
import { leaderOf } from '../addon/installation/leader-of.ts';
import { signingState } from '../kubelet/certificate/signing-state.ts';
import { counted } from '../podspec/words.ts';

/** What the cluster shows of an installation that is to become ready. */
export interface RolloutView {
  readonly deployment: Deployment | undefined;
  readonly pods: readonly Pod[];
  readonly pools: readonly PoolRollout[];
  /** Of serving certificates. */
  readonly signingRequests: readonly CertificateSigningRequest[];
}

export interface PoolRollout {
  readonly name: string;
  readonly nodeName: string;
  readonly lease: Lease | undefined;
  readonly node: Node | undefined;
}

export type RolloutVerdict =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting'; readonly reasons: readonly string[] }
  /** Waiting does not help. */
  | { readonly kind: 'failed'; readonly reason: string; readonly pod: string };

/** How often a container may end before we say that it always will. */
const patience = 3;

/** Every replica is of the newest revision and can act, and those that lead serve their virtual nodes. */
export function rolloutVerdict(view: RolloutView): RolloutVerdict {
  const { deployment, pods, pools, signingRequests } = view;
  const living = pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  const current = newestRevision(deployment, living);
  const crashing = current.find((pod) => crashOf(pod) !== undefined);
  if (crashing !== undefined) return { kind: 'failed', reason: crashOf(crashing) ?? '', pod: nameOf(crashing) };
  const reasons = [
    ...deploymentReasons(deployment),
    ...current.flatMap(podReasons),
    ...pools.flatMap((pool) => poolReasons(pool, living, signingRequests)),
  ];
  return reasons.length === 0 ? { kind: 'ready' } : { kind: 'waiting', reasons };
}

/** Those before it may crash for ever: they go when it is ready. */
function newestRevision(deployment: Deployment | undefined, pods: readonly Pod[]): readonly Pod[] {
  const { observedGeneration = 0, updatedReplicas = 0 } = deployment?.status ?? {};
  if (observedGeneration < (deployment?.metadata?.generation ?? 0) || updatedReplicas === 0) return [];
  const newest = pods.toSorted((a, b) => createdAt(a).localeCompare(createdAt(b))).at(-1);
  return pods.filter((pod) => revisionOf(pod) === (newest && revisionOf(newest)));
}

const revisionOf = ({ metadata }: Pod): string | undefined => metadata?.labels?.['pod-template-hash'];

function deploymentReasons(deployment: Deployment | undefined): string[] {
  if (deployment === undefined) return ['there is no Deployment'];
  const { metadata, spec, status = {} } = deployment;
  const wanted = spec?.replicas ?? 1;
  if ((status.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return ['the Deployment was not looked at yet'];
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, conditions = [] } = status;
  const failure = conditions.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True');
  return [
    ...(failure === undefined ? [] : [`pods cannot be created: ${failure.message ?? failure.reason ?? ''}`]),
    ...(updatedReplicas < wanted ? [`${updatedReplicas} of ${counted(wanted, 'pod')} of this version are there`] : []),
    ...(replicas > updatedReplicas
      ? [`still there of the version before: ${counted(replicas - updatedReplicas, 'pod')}`]
      : []),
    ...(availableReplicas < wanted ? [`${availableReplicas} of ${counted(wanted, 'pod')} are ready`] : []),
  ];
}

const containersOf = ({ status }: Pod): readonly ContainerStatus[] => status?.containerStatuses ?? [];

function crashOf(pod: Pod): string | undefined {
  const crashed = containersOf(pod).find(
    ({ restartCount, state }) => restartCount >= patience && state?.waiting?.reason === 'CrashLoopBackOff',
  );
  if (crashed === undefined) return undefined;
  const { exitCode, reason } = crashed.lastState?.terminated ?? {};
  const how =
    exitCode === undefined ? '' : `, with exit code ${exitCode}${reason === 'OOMKilled' ? ' (OOMKilled)' : ''}`;
  return `pod ${nameOf(pod)} has ended ${crashed.restartCount + 1} times${how}`;
}

/** Why it does not run; one that runs is counted by the Deployment. */
function podReasons(pod: Pod): string[] {
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled !== undefined) return [`pod ${nameOf(pod)}: ${unscheduled.message ?? unscheduled.reason ?? ''}`];
  return containersOf(pod).flatMap(({ state }) => {
    const { reason = '', message } = state?.waiting ?? {};
    if (reason === '' || reason === 'ContainerCreating') return [];
    return [`pod ${nameOf(pod)}: ${reason}${message === undefined ? '' : `: ${message}`}`];
  });
}

export function isReady({ status }: Pod | Node): boolean {
  const conditions: readonly { readonly type: string; readonly status: string }[] = status?.conditions ?? [];
  return conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
}

function poolReasons(
  { name, nodeName, lease, node }: PoolRollout,
  pods: readonly Pod[],
  requests: readonly CertificateSigningRequest[],
): string[] {
  const leader = leaderOf(lease);
  const pod = pods.find((each) => nameOf(each) === leader);
  if (pod === undefined) return [`pool ${name}: no pod leads it yet`];
  if (!isReady(pod)) {
    // Those of pods before it may wait for ever.
    const request = requests.find(
      (each) =>
        each.spec.username === `system:node:${nodeName}` &&
        signingState(each).kind === 'pending' &&
        createdAt(each) >= createdAt(pod),
    );
    if (request === undefined) return [`pool ${name}: its leader, ${nameOf(pod)}, is not ready yet`];
    return [
      `pool ${name}: its certificate waits for approval: kubectl certificate approve ${nameOf(request)} (or servingCertificate.csr.approve in the configuration)`,
    ];
  }
  if (node === undefined || !isReady(node)) return [`pool ${name}: the virtual node ${nodeName} is not ready yet`];
  return [];
}

/** Times of the API server are in order as texts. */
const createdAt = ({ metadata }: KubeObject): string => metadata?.creationTimestamp ?? '';
