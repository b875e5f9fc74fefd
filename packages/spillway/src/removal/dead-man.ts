import type { Clock } from '@spillway/kube';
import type { Heartbeat, HeartbeatReading, Silence, SilentInstance } from '../backends/survey.ts';
import { persist, reasonOf } from './persist.ts';
import { isSameSilence, verdictOf, watchMs } from './silence.ts';

/** A virtual node that may have fallen silent. */
export interface WatchedNode {
  readonly node: string;
  readonly silence: Silence;
}

export interface DeadManOptions {
  readonly dryRun: boolean;
  readonly graceSeconds: number;
  /** For the instances of all nodes to end; what is left then is reported. */
  readonly timeoutMs: number;
  readonly tell: (line: string) => void;
  readonly clock: Clock;
}

export interface SilenceReport {
  readonly node: string;
  /**
   * - `alive`: the heartbeat is younger than it may be, or was renewed while it was watched
   * - `no-heartbeat`: there is none, so nothing is ended
   * - `silent`: it is overdue, and the instances were ended (with `dryRun`: would be, unless it is renewed)
   * - `unknown`: it could not be looked at
   */
  readonly state: 'alive' | 'no-heartbeat' | 'silent' | 'unknown';
  readonly silentSeconds?: number;
  readonly afterSeconds?: number;
  /** Pods whose instances were ended, or would be, as NAMESPACE/NAME. */
  readonly ended: readonly string[];
  readonly remains: readonly string[];
  /** Why something remains, or is not known. */
  readonly why?: string;
}

const lookMs = 1000;
const watchStepMs = 5000;

/** Ends the instances of the nodes that have been silent for as long as they said themselves, and of no others. */
export async function endSilent(
  nodes: readonly WatchedNode[],
  options: DeadManOptions,
  signal: AbortSignal,
): Promise<readonly SilenceReport[]> {
  return await Promise.all(
    nodes.map(async (watched) => {
      try {
        return await lookAt(watched, options, signal);
      } catch (error) {
        signal.throwIfAborted();
        return { node: watched.node, state: 'unknown', ended: [], remains: [], why: reasonOf(error) } as const;
      }
    }),
  );
}

async function lookAt(
  { node, silence }: WatchedNode,
  options: DeadManOptions,
  signal: AbortSignal,
): Promise<SilenceReport> {
  const first = await readAll(silence, signal);
  const { heartbeat } = first.reading;
  const verdict = verdictOf(first.reading, first.instances);
  if (heartbeat === undefined || verdict.kind === 'no-heartbeat')
    return { node, state: 'no-heartbeat', ended: [], remains: [] };
  const afterSeconds = heartbeat.afterMs / 1000;
  const about = { node, silentSeconds: Math.round(verdict.silentMs / 1000), afterSeconds };
  const alive = { ...about, state: 'alive', ended: [], remains: [] } as const;
  if (verdict.kind === 'alive') return alive;
  if (options.dryRun) return { ...about, state: 'silent', ended: first.instances.map(podOf), remains: [] };
  options.tell(
    `Node ${node}: no sign of life for ${about.silentSeconds} s, more than ${afterSeconds} s. Watching for ${Math.round(watchMs(heartbeat) / 1000)} s more`,
  );
  if (!(await staysSilent(heartbeat, silence, options, signal))) return alive;
  const second = await readAll(silence, signal);
  if (!isSameSilence(heartbeat, second.reading) || verdictOf(second.reading, second.instances).kind !== 'overdue')
    return alive;
  const { ended, remains, why } = await end({ node, silence, heartbeat, doomed: second.instances }, options, signal);
  const at = new Date(second.reading.nowMs).toISOString();
  if (ended.length > 0) {
    const noted = { at, silentSince: new Date(verdict.sinceMs).toISOString(), instances: ended.length };
    await silence.note(noted, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      options.tell(`Node ${node}: ${reasonOf(error)}`);
    });
  }
  return { ...about, state: 'silent', ended, remains, ...(why !== undefined && { why }) };
}

async function readAll(
  silence: Silence,
  signal: AbortSignal,
): Promise<{ readonly reading: HeartbeatReading; readonly instances: readonly SilentInstance[] }> {
  const reading = await silence.heartbeat(signal);
  if (reading.heartbeat === undefined) return { reading, instances: [] };
  return { reading, instances: await silence.instances(signal) };
}

async function staysSilent(
  heartbeat: Heartbeat,
  silence: Silence,
  { tell, clock }: DeadManOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const whole = watchMs(heartbeat);
  const read = (): Promise<HeartbeatReading> => silence.heartbeat(signal);
  for (const beganMs = clock.now(); clock.now() - beganMs < whole; ) {
    await clock.sleep(Math.min(watchStepMs, whole / 10), signal);
    signal.throwIfAborted();
    if (!isSameSilence(heartbeat, await persist('cannot read the heartbeat', read, { tell, clock }, signal)))
      return false;
  }
  return true;
}

interface Doom {
  readonly node: string;
  readonly silence: Silence;
  readonly heartbeat: Heartbeat;
  readonly doomed: readonly SilentInstance[];
}

/** Stops as soon as there is a sign of life: another heartbeat, or an instance that was not there before. */
async function end(
  { node, silence, heartbeat, doomed }: Doom,
  { graceSeconds, timeoutMs, tell, clock }: DeadManOptions,
  signal: AbortSignal,
): Promise<Pick<SilenceReport, 'ended' | 'remains' | 'why'>> {
  const working = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const tries = { tell, clock };
  const known = new Map(doomed.map((instance) => [instance.uid, instance]));
  const deadlineMs = clock.now() + graceSeconds * 1000;
  const asked = new Set<string>();
  let left = doomed;
  const result = (why?: string): Pick<SilenceReport, 'ended' | 'remains' | 'why'> => {
    const remaining = new Set(left.map(({ uid }) => uid));
    return {
      ended: doomed.filter(({ uid }) => !remaining.has(uid)).map(podOf),
      remains: left.map(podOf),
      ...(why !== undefined && left.length > 0 && { why }),
    };
  };
  tell(`Node ${node}: ending ${doomed.length} instances, within ${graceSeconds} s`);
  try {
    while (left.length > 0) {
      const isOver = clock.now() >= deadlineMs;
      for (const group of chunks(left)) {
        const reading = await persist(`Node ${node}`, () => silence.heartbeat(working), tries, working);
        if (!isSameSilence(heartbeat, reading)) return result('the heartbeat has changed: the rest is left alone');
        await Promise.all(
          group.map(async (instance) => {
            if (!isOver && !instance.ended && asked.has(instance.uid)) return;
            const grace = isOver || instance.ended ? 0 : graceSeconds;
            await persist(`Node ${node}`, () => silence.end(instance, grace, working), tries, working);
            asked.add(instance.uid);
          }),
        );
      }
      await clock.sleep(lookMs, working);
      working.throwIfAborted();
      const now = await persist(`Node ${node}`, () => silence.instances(working), tries, working);
      left = now.filter(({ uid }) => known.has(uid));
      if (left.length < now.length) return result('an instance was created meanwhile: the rest is left alone');
    }
    return result();
  } catch (error) {
    signal.throwIfAborted();
    if (!working.aborted) throw error;
    return result(`not ended within ${timeoutMs / 1000} s: ${reasonOf(error)}`);
  }
}

const chunkSize = 20;

function* chunks(instances: readonly SilentInstance[]): Generator<readonly SilentInstance[]> {
  for (let at = 0; at < instances.length; at += chunkSize) yield instances.slice(at, at + chunkSize);
}

const podOf = ({ pod: { namespace, name } }: SilentInstance): string => `${namespace}/${name}`;
