import { type Pod, uidOf } from '@spillway/kube';

interface Times {
  readonly created: number | undefined;
  unschedulable: number | undefined;
}

export interface Elapsed {
  readonly secondsSinceCreated: number | undefined;
  readonly secondsSinceUnschedulable: number | undefined;
}

/** When the watch showed what of a pod; the times of Kubernetes are whole seconds. */
export class Stopwatch {
  readonly #times = new Map<string, Times>();
  #running = false;

  /** What was there before was seen late. */
  start(): void {
    this.#running = true;
  }

  see(pod: Pod): void {
    const uid = uidOf(pod);
    const now = this.#running ? performance.now() : undefined;
    let times = this.#times.get(uid);
    if (times === undefined) this.#times.set(uid, (times = { created: now, unschedulable: undefined }));
    const isUnschedulable = pod.status?.conditions?.some(
      ({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable',
    );
    if (isUnschedulable === true) times.unschedulable ??= now;
  }

  forget(uid: string): void {
    this.#times.delete(uid);
  }

  /** Ask now, and call what you get when the end has come: the pod may be forgotten meanwhile. */
  of(uid: string): () => Elapsed {
    const times = this.#times.get(uid);
    return () => ({
      secondsSinceCreated: secondsSince(times?.created),
      secondsSinceUnschedulable: secondsSince(times?.unschedulable),
    });
  }
}

function secondsSince(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : (performance.now() - ms) / 1000;
}
