import { type KubeClient, type Logger, type Pod, pods } from '@spillway/kube';
import { type Backend, BackendError, type Instance } from '../backends/backend.ts';
import type { PoolConfig } from '../config/config.ts';
import type { LedgerRecorder } from '../ledger/ledger-recorder.ts';
import { endPods } from '../pool/end-pods.ts';
import { isPlaceholder } from './owners.ts';
import { persist, type Persistence, reasonOf } from './persist.ts';
import type { PoolView } from './plan.ts';
import type { Item } from './report.ts';

export interface OpenPool {
  readonly config: PoolConfig;
  readonly backend: Backend;
}

export interface ClearContext extends Persistence {
  readonly graceSeconds: number | undefined;
  readonly removed: (items: readonly Item[]) => void;
  /** Where what is billed is written down. */
  readonly ledger?: LedgerRecorder | undefined;
}

export interface ClusterAccess {
  readonly client: KubeClient;
  readonly confirmCluster: (signal: AbortSignal) => Promise<boolean>;
}

const lookMs = 1000;
const wordMs = 5000;
/** Instances without a pod; as a pod that says nothing. */
const usualGraceSeconds = 30;

/** What there is of a pool on the other side. Changes nothing. */
export async function viewPool({ config: { name }, backend }: OpenPool, signal: AbortSignal): Promise<PoolView> {
  try {
    const instances = await instancesOf(backend, signal);
    return { pool: name, instances, dismantled: await backend.dismantle(signal, { dryRun: true }) };
  } catch (error) {
    signal.throwIfAborted();
    return { pool: name, trouble: reasonOf(error) };
  }
}

/** @throws BackendError */
export async function instancesOf(backend: Backend, signal: AbortSignal): Promise<readonly Instance[]> {
  try {
    const { complete, instances } = await backend.list(signal);
    if (!complete) throw new BackendError('unavailable', 'the listing of instances is not complete');
    return instances;
  } catch (error) {
    // Where there is no namespace, there is no instance.
    if (error instanceof BackendError && error.kind === 'notFound') return [];
    throw error;
  }
}

/**
 * Lets the pods of the virtual node end that are being deleted, as a pool that is served does it. Resolves when none is left.
 * @throws why they do not, once the signal is aborted
 */
export async function endPodsOf(
  { config, backend }: OpenPool,
  { client, confirmCluster }: ClusterAccess,
  context: ClearContext,
  signal: AbortSignal,
): Promise<void> {
  const { tell, clock, ledger } = context;
  const { name, nodeName } = config;
  const burst = async (): Promise<readonly Pod[]> => {
    const found: Pod[] = [];
    const fieldSelector = `spec.nodeName=${nodeName}`;
    for await (const { items } of client.resource(pods).pages({ fieldSelector, signal })) found.push(...items);
    return found.filter((pod) => !isPlaceholder(pod));
  };
  const first = await burst();
  if (first.length === 0) return;
  const done = new AbortController();
  const until = AbortSignal.any([signal, done.signal]);
  const trouble = new LastTrouble();
  const observing = observe(backend, context, until);
  const ending = endPods({ config, backend, client, confirmCluster, ledger, logger: trouble }, until);
  ending.catch(() => {});
  try {
    let toldMs = clock.now();
    tell(`Pool ${name}: ${first.length} pods are ending`);
    for (let left = first; left.length > 0; ) {
      await Promise.race([clock.sleep(lookMs, until), ending]);
      signal.throwIfAborted();
      left = await persist('cannot read the pods', burst, context, signal);
      if (left.length > 0 && clock.now() - toldMs >= wordMs) {
        toldMs = clock.now();
        tell(`Pool ${name}: ${left.length} pods are ending${trouble.text}`);
      }
    }
  } catch (error) {
    if (!signal.aborted || trouble.text === '') throw error;
    throw new Error(`pods do not end${trouble.text}`, { cause: error });
  } finally {
    done.abort();
    await Promise.allSettled([ending, observing]);
  }
}

/** Ends instances that the backend has of us, with or without pods. @throws why they are still there, once the signal is aborted */
export async function endInstances(
  { config: { name }, backend }: OpenPool,
  context: ClearContext,
  signal: AbortSignal,
): Promise<void> {
  const { tell, clock, graceSeconds = usualGraceSeconds, removed, ledger } = context;
  const look = (): Promise<readonly Instance[]> =>
    persist(`Pool ${name}`, () => instancesOf(backend, signal), context, signal);
  const first = await look();
  if (first.length === 0) return;
  const done = new AbortController();
  const observing = observe(backend, context, AbortSignal.any([signal, done.signal]));
  tell(`Pool ${name}: ending ${first.length} instances, within ${graceSeconds} s`);
  const deadlineMs = clock.now() + graceSeconds * 1000;
  const asked = new Set<string>();
  try {
    for (let left = first; left.length > 0; left = await look()) {
      const isOver = clock.now() >= deadlineMs;
      for (const instance of left) ledger?.instance(instance);
      await Promise.all(
        left.map(async ({ ref, state }) => {
          if (isOver || state === 'ended' || graceSeconds === 0) {
            await persist(`Pool ${name}`, () => backend.remove(ref, signal), context, signal);
          } else if (!asked.has(ref.uid)) {
            await persist(`Pool ${name}`, () => backend.stop(ref, { graceSeconds }, signal), context, signal);
            asked.add(ref.uid);
          }
        }),
      );
      removed(left.map(({ ref }) => ({ pool: name, kind: 'Instance', namespace: ref.namespace, name: ref.name })));
      await clock.sleep(lookMs, signal);
      signal.throwIfAborted();
    }
  } finally {
    done.abort();
    await observing;
  }
}

/** Until there is nothing more to do. @throws why it cannot be, once the signal is aborted */
export async function dismantlePool(
  { config: { name }, backend }: OpenPool,
  context: ClearContext,
  signal: AbortSignal,
): Promise<void> {
  const { clock, tell, removed } = context;
  let isTold = false;
  for (;;) {
    const found = await persist(`Pool ${name}`, () => backend.dismantle(signal), context, signal);
    removed(found.removed.map((object) => ({ pool: name, ...object })));
    const ending = found.remains.filter((each) => each.ending === true);
    if (found.removed.length === 0 && ending.length === 0) return;
    if (ending.length > 0 && !isTold) tell(`Pool ${name}: waiting for ${ending.map(nameThem).join(', ')} to be gone`);
    isTold ||= ending.length > 0;
    await clock.sleep(lookMs, signal);
    signal.throwIfAborted();
  }
}

const nameThem = ({ kind, name }: Item): string => `${kind} ${name}`;

/** Changes are seen at once when a backend is prepared, and within a minute as long as it cannot be. */
async function observe(backend: Backend, { clock }: Persistence, signal: AbortSignal): Promise<void> {
  const prepare = async (): Promise<void> => {
    // Where there are no instances there may be no namespace, and none is made for them.
    if ((await instancesOf(backend, signal)).length > 0) await backend.prepare(signal);
  };
  try {
    await persist('observe', prepare, { tell: () => {}, clock }, signal);
  } catch {
    // What keeps it from being prepared says so where it matters: nothing is looked after that does not end.
  }
}

/** Of what is logged, only why something does not succeed. */
class LastTrouble implements Logger {
  #last = '';

  get text(): string {
    return this.#last === '' ? '' : ` (${this.#last})`;
  }

  debug(): void {}
  info(): void {}

  warn(fields: object, message: string): void {
    const reason: unknown = Reflect.get(fields, 'reason') ?? Reflect.get(Object(Reflect.get(fields, 'err')), 'message');
    this.#last = typeof reason === 'string' ? reason : message;
  }

  error(fields: object, message: string): void {
    this.warn(fields, message);
  }

  child(): Logger {
    return this;
  }
}
