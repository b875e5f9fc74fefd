import {
  ApiError,
  errorMessage,
  isConflict,
  isNotFound,
  isRetryable,
  type KubeClient,
  nameOf,
  namespaceOf,
  type Node,
  nodes as nodeType,
  type Pod,
  uidOf,
} from '@spillway/kube';
import type { Instance } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import {
  hibernationAnnotation,
  type HibernationTarget,
  nodeRecordOf,
  type WorkloadRecord,
} from '../podspec/hibernation.ts';
import { instancesOf, type OpenPool } from '../removal/clear-pool.ts';
import { deletePods } from '../removal/clear-cluster.ts';
import { persist, type Persistence, reasonOf } from '../removal/persist.ts';
import type { Left } from '../removal/report.ts';
import { choose, type Chosen, type Facts, fateOf, keyOf } from './choose.ts';
import { isServed, notesOf, podsText, waitingOf } from './notes.ts';
import { intentOf, nextStep, patchOf, type Wish } from './plan.ts';
import { readAutoscalers, readFacts, readRoom, type Scope, workloadTypes } from './read-workloads.ts';
import type { HibernatedWorkload, HibernationReport } from './report.ts';
import type { Workload } from './workload.ts';

export interface HibernateOptions extends Persistence {
  readonly client: KubeClient;
  readonly config: Config;
  readonly clusterId: string;
  readonly pools: readonly OpenPool[];
  /** All: then the virtual nodes are closed, too. */
  readonly scope: Scope;
  readonly to: HibernationTarget;
  /** Those that no workload gives back. */
  readonly deletePods: boolean;
  /** Then what still bursts is reported. */
  readonly timeoutMs: number;
}

/** What would be done. Changes nothing. */
export async function planHibernation(options: HibernateOptions, signal: AbortSignal): Promise<HibernationReport> {
  const { client, config, pools, scope, to } = options;
  const wish = wishOf(options);
  const facts = await readFacts(client, config.pools, scope, signal);
  const chosen = choose(facts);
  const workloads = changed(chosen, wish);
  const moved = workloads.filter((each) => ['move', 'restart'].includes(intentOf(each, wish)));
  const waiting = to === 'local' ? waitingOf(moved, await readRoom(client, signal)) : new Map<string, number>();
  const autoscalers = await readAutoscalers(client, scope, signal);
  const strays = straysOf(chosen, options);
  const troubles = await Promise.all(pools.map((pool) => lookInto(pool, signal)));
  return {
    dryRun: true,
    clusterId: options.clusterId,
    to,
    nodes: wish.closed ? facts.nodes.map(nameOf) : [],
    workloads: workloads.map((each) => {
      const first = nextStep(each, wish);
      const line = lineOf(each, wish, first.kind === 'change' ? first.record : each.record);
      const waits = waiting.get(each.uid);
      return waits === undefined ? line : { ...line, waiting: waits };
    }),
    endedPods: strays.ending.map(refOfPod),
    remains: [...strays.staying, ...troubles.flatMap(({ trouble }) => trouble)],
    notes: notesOf(workloads, facts.nodes, autoscalers, wish),
  };
}

/**
 * Ends what bursts, and waits until the backends have nothing left of it. Can be interrupted anywhere: another run goes on, and
 * `resume` gives back what was changed.
 */
export async function hibernate(options: HibernateOptions, signal: AbortSignal): Promise<HibernationReport> {
  return await new Hibernation(options, signal).run();
}

const lookMs = 1000;
const wordMs = 5000;
/** Whoever changes a workload as often is countered by somebody else. */
const mostChanges = 6;
/** What was on its way to a virtual node when that was closed has arrived by then. */
const quietLooks = 2;

class Hibernation {
  readonly #options: HibernateOptions;
  readonly #signal: AbortSignal;
  readonly #working: AbortSignal;
  readonly #wish: Wish;
  readonly #lines = new Map<string, HibernatedWorkload>();
  readonly #changes = new Map<string, number>();
  readonly #troubles = new Map<string, Left>();
  readonly #ended = new Map<string, { readonly namespace: string; readonly name: string }>();
  /** UIDs of pods that were of the chosen workloads. */
  readonly #meant = new Set<string>();

  constructor(options: HibernateOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#working = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]);
    this.#wish = wishOf(options);
  }

  async run(): Promise<HibernationReport> {
    const { client, clock, scope } = this.#options;
    const first = await this.#read();
    const notes = notesOf(
      changed(choose(first), this.#wish),
      first.nodes,
      await readAutoscalers(client, scope, this.#signal),
      this.#wish,
    );
    let quiet = 0;
    let toldMs = Number.NEGATIVE_INFINITY;
    for (let facts = first; ; facts = await this.#read()) {
      const chosen = choose(facts);
      const waitsFor = await this.#advance(facts, chosen);
      const found = waitsFor === undefined ? await this.#instances(chosen) : undefined;
      const isQuiet =
        found !== undefined && found.every(({ trouble, instances }) => trouble.length + instances.length === 0);
      quiet = isQuiet ? quiet + 1 : 0;
      if (quiet >= quietLooks || this.#working.aborted) return await this.#report(facts, chosen, notes);
      if (!isQuiet && clock.now() - toldMs >= wordMs) {
        toldMs = clock.now();
        this.#tell(waitsFor ?? waitingForBackends(found ?? []));
      }
      await clock.sleep(lookMs, this.#working);
      this.#signal.throwIfAborted();
    }
  }

  #tell(line: string): void {
    this.#options.tell(line);
  }

  async #read(): Promise<Facts> {
    const { client, config, scope } = this.#options;
    const work = (): Promise<Facts> => readFacts(client, config.pools, scope, this.#signal);
    return await persist('Cannot read the workloads', work, this.#options, this.#signal);
  }

  /** One step of each workload. @returns what is waited for */
  async #advance({ nodes }: Facts, chosen: Chosen): Promise<string | undefined> {
    if (this.#wish.closed) await this.#close(nodes);
    const workloads = chosen.workloads.filter((each) => !this.#troubles.has(keyOf(each)));
    const steps = await Promise.all(workloads.map(async (each) => [each, await this.#step(each)] as const));
    const strays = straysOf(chosen, this.#options);
    for (const pod of strays.ending) this.#ended.set(uidOf(pod), refOfPod(pod));
    await deletePods(this.#options.client, strays.ending, undefined, this.#signal);
    const ending = steps.reduce((sum, [{ pods }]) => sum + pods.length, strays.ending.length);
    const busy = steps.filter(([, isBusy]) => isBusy).length;
    if (busy === 0 && strays.ending.length === 0) return undefined;
    return ending > 0 ? `Waiting: ${podsText(ending)} on virtual nodes are ending` : `Waiting for ${busy} workloads`;
  }

  /** No pod is placed there from now on. */
  async #close(nodes: readonly Node[]): Promise<void> {
    const { client } = this.#options;
    for (const node of nodes) {
      const before = nodeRecordOf(node);
      const isCordoned = node.spec?.unschedulable === true;
      if (before?.to === this.#wish.to && isCordoned) continue;
      const record = {
        since: before?.since || this.#wish.now,
        to: this.#wish.to,
        cordoned: before?.cordoned ?? isCordoned,
      };
      this.#tell(`Closing the virtual node ${nameOf(node)}`);
      const body = {
        metadata: { annotations: { [hibernationAnnotation]: JSON.stringify(record) } },
        spec: { unschedulable: true },
      };
      await client
        .resource(nodeType)
        .patch({ name: nameOf(node) }, { type: 'merge', body }, { signal: this.#signal })
        .catch(unlessMissing);
    }
  }

  /** @returns whether there is more to come */
  async #step(workload: Workload): Promise<boolean> {
    const { client } = this.#options;
    const key = keyOf(workload);
    for (const pod of workload.pods) this.#meant.add(uidOf(pod));
    if (!this.#lines.has(key) && intentOf(workload, this.#wish) !== 'none') {
      this.#lines.set(key, lineOf(workload, this.#wish, undefined));
    }
    const step = nextStep(workload, this.#wish);
    if (step.kind === 'done') return false;
    if (step.kind === 'endPods') await deletePods(client, workload.pods, undefined, this.#signal);
    if (step.kind !== 'change') return true;
    const count = (this.#changes.get(key) ?? 0) + 1;
    this.#changes.set(key, count);
    if (count > mostChanges) {
      this.#give(workload, 'somebody undoes this again and again', 'Find out who scales it, and pause that');
      return false;
    }
    try {
      const { kind, namespace, name } = workload;
      const body = patchOf(workload, step.change, step.record);
      await client
        .resource(workloadTypes[kind])
        .patch({ namespace, name }, { type: 'merge', body }, { signal: this.#signal });
    } catch (error) {
      // Changed since it was seen, or gone: the next look shows it.
      if (isConflict(error) || isNotFound(error)) return true;
      if (!(error instanceof ApiError) || isRetryable(error)) throw error;
      this.#give(workload, `it cannot be changed: ${errorMessage(error)}`);
      return false;
    }
    return true;
  }

  /** Nothing more is tried with it. */
  #give({ kind, namespace, name }: Workload, why: string, remedy?: string): void {
    this.#troubles.set(keyOf({ kind, namespace, name }), { kind, namespace, name, why, remedy });
  }

  /** What the backends have that is meant, and that no pod which stays accounts for. */
  async #instances(chosen: Chosen): Promise<readonly Look[]> {
    const { pools, scope } = this.#options;
    const stays = new Set(chosen.strays.map(uidOf));
    const looks = await Promise.all(pools.map((pool) => lookInto(pool, this.#signal)));
    return looks.map((look) => ({
      ...look,
      instances: look.instances.filter(
        ({ ref: { uid, namespace } }) =>
          !stays.has(uid) &&
          (this.#meant.has(uid) ||
            (scope.selector === undefined && (scope.namespace === undefined || scope.namespace === namespace))),
      ),
    }));
  }

  async #report({ nodes }: Facts, chosen: Chosen, notes: readonly string[]): Promise<HibernationReport> {
    const { clusterId, to, timeoutMs } = this.#options;
    const unserved = nodes.filter((node) => !isServed(node)).map(nameOf);
    const late =
      unserved.length > 0 ? `nobody serves ${unserved.join(', ')}` : `not within ${timeoutMs / 1000} s (--timeout)`;
    const workloads = chosen.workloads.filter(({ pods }) => pods.length > 0);
    const known = new Set([...workloads.flatMap(({ pods }) => pods), ...chosen.strays].map(uidOf));
    const looks = await this.#instances(chosen);
    return {
      dryRun: false,
      clusterId,
      to,
      nodes: this.#wish.closed ? nodes.map(nameOf) : [],
      workloads: chosen.workloads.flatMap((workload): HibernatedWorkload[] => {
        const line = this.#lines.get(keyOf(workload));
        return line === undefined ? [] : [{ ...line, before: beforeOf(workload.record) }];
      }),
      endedPods: [...this.#ended.values()],
      remains: [
        ...this.#troubles.values(),
        ...workloads
          .filter((each) => !this.#troubles.has(keyOf(each)))
          .map(({ kind, namespace, name, pods }) => ({
            kind,
            namespace,
            name,
            why: `${podsText(pods.length)} on virtual nodes have not ended: ${late}`,
          })),
        ...straysOf(chosen, this.#options).staying,
        ...looks.flatMap(({ trouble }) => trouble),
        ...looks.flatMap(({ pool, instances }) =>
          instances
            .filter(({ ref }) => !known.has(ref.uid))
            .map(({ ref: { namespace, name } }) => ({
              pool,
              kind: 'Instance',
              namespace,
              name,
              why: `it still runs: ${late}`,
            })),
        ),
      ],
      notes,
    };
  }
}

function wishOf({ to, scope }: HibernateOptions): Wish {
  return {
    to,
    closed: scope.namespace === undefined && scope.selector === undefined,
    now: new Date().toISOString(),
  };
}

/** Something is done to them, or was. */
const changed = ({ workloads }: Chosen, wish: Wish): readonly Workload[] =>
  workloads.filter((workload) => intentOf(workload, wish) !== 'none');

function lineOf(workload: Workload, wish: Wish, record: WorkloadRecord | undefined): HibernatedWorkload {
  const { kind, namespace, name, pods } = workload;
  return {
    kind,
    namespace,
    name,
    change: intentOf(workload, wish),
    before: beforeOf(record),
    burstPods: pods.length,
  };
}

function beforeOf(record: WorkloadRecord | undefined): HibernatedWorkload['before'] {
  const { replicas, suspended, label } = record ?? {};
  return {
    ...(replicas !== undefined && { replicas }),
    ...(suspended && { suspended: false as const }),
    ...(label !== undefined && { label }),
  };
}

const refOfPod = (pod: Pod): { readonly namespace: string; readonly name: string } => ({
  namespace: namespaceOf(pod),
  name: nameOf(pod),
});

function straysOf(
  { strays }: Chosen,
  options: HibernateOptions,
): { readonly ending: readonly Pod[]; readonly staying: readonly Left[] } {
  const moves = options.to === 'local' && wishOf(options).closed;
  const fates = strays.map((pod) => [pod, fateOf(pod, { moves, asked: options.deletePods })] as const);
  return {
    ending: fates.flatMap(([pod, fate]) => (fate.kind === 'end' ? [pod] : [])),
    staying: fates.flatMap(([pod, fate]) =>
      fate.kind === 'stay' ? [{ kind: 'Pod', ...refOfPod(pod), why: fate.why, remedy: fate.remedy }] : [],
    ),
  };
}

interface Look {
  readonly pool: string;
  /** That are billed. */
  readonly instances: readonly Instance[];
  readonly trouble: readonly Left[];
}

/** A backend that cannot be looked at is not known to be empty. */
async function lookInto({ config: { name: pool }, backend }: OpenPool, signal: AbortSignal): Promise<Look> {
  try {
    const instances = await instancesOf(backend, signal);
    return { pool, instances: instances.filter(({ state }) => state !== 'ended'), trouble: [] };
  } catch (error) {
    signal.throwIfAborted();
    const why = `cannot be looked at: ${reasonOf(error)}`;
    return { pool, instances: [], trouble: [{ pool, kind: 'Backend', name: pool, why }] };
  }
}

function waitingForBackends(looks: readonly Look[]): string {
  const trouble = looks.flatMap((look) => look.trouble)[0];
  if (trouble !== undefined) return `Pool ${trouble.name} ${trouble.why}; trying again`;
  const busy = looks.filter(({ instances }) => instances.length > 0);
  return `Waiting: ${busy.map(({ pool, instances }) => `pool ${pool} still has ${instances.length} instances`).join(', ')}`;
}

function unlessMissing(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
