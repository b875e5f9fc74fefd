import {
  ApiError,
  type Clock,
  deployments,
  errorMessage,
  type Eviction,
  isConflict,
  isNotFound,
  type KubeClient,
  type KubeObject,
  nameOf,
  nodes,
  type Pod,
  pods,
  replicaSets,
  type ResourceType,
  statefulSets,
  uidOf,
} from '@spillway/kube';
import { burstLabelCopiedAnnotation } from '../podspec/contract.ts';
import type { AskPools } from '../podspec/fit/fit.ts';
import { instanceRef, isDeleting, isReady } from '../podspec/pod-facts.ts';
import { counted } from '../podspec/words.ts';
import { workloadOf } from '../podspec/workload-of.ts';
import { runningOf } from './add-on.ts';
import { type Move, movesAway, movesOf, nextStep, type Situation, troubleOf } from './moves.ts';
import { readAddOn } from './read-add-on.ts';

export interface MoveOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly ask: AskPools;
  /** How long a workload may make no progress. */
  readonly patienceMs: number;
  readonly tell: (line: string) => void;
  readonly clock: Clock;
}

/** What has become of the pods of one owner. */
export interface Moved extends Move {
  readonly result: 'moved' | 'stuck' | 'left';
}

const atOnce = 4;
const lookMs = 1000;

/**
 * Closes the add-on's node, and has the owners of its pods create them again, on Spillway: some pods of some workloads at a time. After
 * a workload that does not get on, no other one is begun. Can be interrupted anywhere: another run goes on.
 */
export async function moveFromAddOn(options: MoveOptions, signal: AbortSignal): Promise<readonly Moved[]> {
  const { client, ask, tell } = options;
  const before = await readAddOn(client, signal);
  for (const node of before.nodes) {
    if (node.spec?.unschedulable === true) continue;
    tell(`Cordoning Node ${nameOf(node)}`);
    const patch = { type: 'merge', body: { spec: { unschedulable: true } } } as const;
    await client.resource(nodes).patch({ name: nameOf(node) }, patch, { signal });
  }
  // Read again: what came until it was closed is to move, too.
  const addOn = await readAddOn(client, signal);
  const moves = movesOf(addOn, ask);
  const addOnNodes = new Set(addOn.nodes.map(nameOf));
  const known = new Set(runningOf(addOn).map(uidOf));
  const open = moves.filter(movesAway);
  const results: Moved[] = moves
    .filter((move) => !movesAway(move))
    .map((move) => ({ ...move, result: 'left' as const }));
  let isStuck = false;
  // An answer that nobody expects ends all of it.
  const failed = new AbortController();
  const working = AbortSignal.any([signal, failed.signal]);
  const work = async (): Promise<void> => {
    for (;;) {
      const move = open.shift();
      if (move === undefined) return;
      if (isStuck) {
        results.push({
          ...move,
          result: 'left',
          why: 'another workload did not get on, so that this one was not begun',
        });
        continue;
      }
      tell(`Moving ${titleOf(move)}, ${counted(move.pods.length, 'pod')}`);
      const why = await moveOne(move, { ...options, addOnNodes, known }, working);
      if (why !== undefined) {
        isStuck = true;
        tell(`${titleOf(move)} does not get on: ${why}`);
      }
      results.push(why === undefined ? { ...move, result: 'moved' } : { ...move, result: 'stuck', why });
    }
  };
  const workers = Array.from({ length: atOnce }, () =>
    work().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(workers);
  await Promise.all(workers);
  return moves.flatMap((move) => results.filter((each) => isSame(each, move)));
}

const titleOf = ({ namespace, kind, name }: Move): string => `${kind} ${namespace}/${name}`;
const isSame = (a: Move, b: Move): boolean => titleOf(a) === titleOf(b);

type Context = MoveOptions & Pick<Situation, 'addOnNodes' | 'known'>;

/** Resolves with why it does not get on; undefined: it is done. */
async function moveOne(move: Move, context: Context, signal: AbortSignal): Promise<string | undefined> {
  const { addOnNodes, clock, patienceMs } = context;
  const rollsOut = await rollOut(move, context, signal);
  let readyAtFirst: number | undefined;
  let progress = '';
  let sinceMs = clock.now();
  let refusal: string | undefined;
  for (;;) {
    const own = await podsOf(move, context, signal);
    readyAtFirst ??= own.filter((pod) => isReady(pod) && !isDeleting(pod)).length;
    const replicas = (await workloadNow(move, context, signal))?.spec?.replicas;
    const wanted = Math.min(readyAtFirst, replicas ?? readyAtFirst);
    const step = nextStep({ ...context, pods: own, wanted, ordered: move.kind === 'StatefulSet', rollsOut });
    if (step.kind === 'done') return undefined;
    if (step.kind === 'returns') {
      return `its pod ${step.pod} has come to the add-on's node, although that is cordoned`;
    }
    if (step.kind === 'evict') {
      for (const pod of step.pods) refusal = await evict(pod, context, signal);
    }
    const now = own.map((pod) => `${uidOf(pod)} ${isReady(pod)} ${isDeleting(pod)}`).join();
    if (now !== progress) {
      progress = now;
      sinceMs = clock.now();
    } else if (clock.now() - sinceMs >= patienceMs) {
      return refusal ?? troubleOf({ pods: own, addOnNodes });
    }
    await clock.sleep(lookMs, signal);
    signal.throwIfAborted();
  }
}

/** Writes the label into the pod template. Resolves with whether the owner replaces its pods by itself then. */
async function rollOut(move: Move, context: Context, signal: AbortSignal): Promise<boolean> {
  const { label } = move;
  const type = typeOf(move);
  if (label === undefined || type === undefined) return false;
  const body = {
    metadata: { annotations: { [burstLabelCopiedAnnotation]: label.value } },
    spec: { template: { metadata: { labels: { [label.key]: label.value } } } },
  };
  await context.client.resource<KubeObject>(type).patch(move, { type: 'merge', body }, { signal });
  const { updateStrategy } = (await workloadNow(move, context, signal))?.spec ?? {};
  return updateStrategy?.type !== 'OnDelete';
}

const typeOf = ({ kind }: Move): ResourceType<KubeObject> | undefined =>
  [deployments, statefulSets, replicaSets].find((type) => type.kind === kind);

interface WorkloadNow extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly updateStrategy?: { readonly type?: string } };
}

/** Undefined: nothing is known of such a kind. Without replicas if it is gone. */
async function workloadNow(
  { namespace, name, ...move }: Move,
  { client }: Context,
  signal: AbortSignal,
): Promise<WorkloadNow | undefined> {
  const type = typeOf({ namespace, name, ...move });
  if (type === undefined) return undefined;
  try {
    return await client.resource<WorkloadNow>(type).get({ namespace, name }, { signal });
  } catch (error) {
    if (isNotFound(error)) return { spec: { replicas: 0 } };
    throw error;
  }
}

async function podsOf(
  { namespace, kind, name }: Move,
  { client }: Context,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const found: Pod[] = [];
  for await (const { items } of client.resource(pods).pages({ namespace, signal })) {
    found.push(
      ...items.filter((pod) => {
        const owner = workloadOf(pod);
        return owner?.kind === kind && owner.name === name;
      }),
    );
  }
  return found;
}

/** Resolves with why the API server does not let it go; undefined: it goes. PodDisruptionBudgets count. */
async function evict(pod: Pod, { client }: Context, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, name } = instanceRef(pod);
  const eviction: Eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { namespace, name },
    deleteOptions: { preconditions: { uid: uidOf(pod) } },
  };
  try {
    await client.resource(pods).create<Eviction>(eviction, { subresource: 'eviction', retry: false, signal });
    return undefined;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return undefined;
    if (error instanceof ApiError && error.status === 429) return errorMessage(error);
    throw error;
  }
}
