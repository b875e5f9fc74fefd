/** A pod as the region's API has it. */
export interface MeteredPod {
  /** Its UID in the region. */
  readonly id: string;
  /** Of the customer's pod that it stands for, by its label; else its own. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly size: Size;
  /** Nothing of it will run again. */
  readonly ended: boolean;
  /** When its last container ended; undefined: as far as the API knows, one runs, or none ever did. */
  readonly finishedMs: number | undefined;
}

export interface Size {
  readonly vcpu: number;
  readonly gib: number;
}

/** What the machine has of a pod: looked up where it runs, and not in the API. */
export interface Run {
  /** The pod's UID in the region. */
  readonly id: string;
  /** When its first container started, of those that the machine remembers. */
  readonly startedMs: number;
  /** When its last container ended; undefined: one runs. */
  readonly finishedMs: number | undefined;
}

export interface Bill {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly size: Size;
  /** RFC 3339, whole seconds */
  readonly start: string;
  /** Missing: it runs. */
  readonly end?: string;
  readonly seconds: number;
}

export interface Reading {
  /** RFC 3339 */
  readonly at: string;
  readonly running: number;
  readonly bills: readonly Bill[];
  /** UIDs for which two pods ran at the same time: they are billed twice. */
  readonly overlapping: readonly string[];
}

interface Metered {
  readonly pod: MeteredPod;
  readonly startedMs: number;
  readonly endedMs?: number;
}

/**
 * What runs in the region and for how long: from the start of a pod's first container until nothing of it runs any more. Pure
 * bookkeeping of what was looked at.
 */
export class Bills {
  /** By the UID in the region. */
  readonly #pods = new Map<string, MeteredPod>();
  readonly #metered = new Map<string, Metered>();

  /** Of a pod that was deleted the last state stays known: it may still run. */
  pod(pod: MeteredPod): void {
    this.#pods.set(pod.id, pod);
  }

  /** All that the machine has at this moment. */
  looked(runs: readonly Run[], nowMs: number): void {
    const there = new Map(runs.map((run) => [run.id, run]));
    for (const run of runs) this.#runs(run);
    for (const [id, { endedMs }] of this.#metered) {
      if (endedMs === undefined && !there.has(id)) this.#end(id, this.#pods.get(id)?.finishedMs ?? nowMs);
    }
  }

  read(nowMs: number): Reading {
    const metered = [...this.#metered.values()];
    const bills = metered.map((each) => billOf(each, nowMs));
    return {
      at: new Date(nowMs).toISOString(),
      running: bills.filter(({ end }) => end === undefined).length,
      bills,
      overlapping: overlapping(metered),
    };
  }

  #runs({ id, startedMs, finishedMs }: Run): void {
    const pod = this.#pods.get(id);
    // The API tells of it in a moment.
    if (pod === undefined) return;
    if (!this.#metered.has(id)) this.#metered.set(id, { pod, startedMs });
    // Between two attempts nothing runs, and it is billed.
    if (pod.ended && finishedMs !== undefined) this.#end(id, finishedMs);
  }

  #end(id: string, endedMs: number): void {
    const before = this.#metered.get(id);
    if (before === undefined || before.endedMs !== undefined) return;
    this.#metered.set(id, { ...before, endedMs: Math.max(endedMs, before.startedMs) });
  }
}

function billOf({ pod, startedMs, endedMs }: Metered, nowMs: number): Bill {
  const [start, until] = [wholeSecond(startedMs), wholeSecond(endedMs ?? nowMs)];
  return {
    uid: pod.uid,
    namespace: pod.namespace,
    name: pod.name,
    size: pod.size,
    start: rfc3339(start),
    ...(endedMs === undefined ? {} : { end: rfc3339(until) }),
    seconds: Math.max(0, until - start) / 1000,
  };
}

function overlapping(metered: readonly Metered[]): string[] {
  const inOrder = metered.toSorted((a, b) => a.startedMs - b.startedMs);
  const until = new Map<string, number>();
  const found = new Set<string>();
  for (const { pod, startedMs, endedMs = Number.POSITIVE_INFINITY } of inOrder) {
    const before = until.get(pod.uid) ?? 0;
    if (startedMs < before) found.add(pod.uid);
    until.set(pod.uid, Math.max(before, endedMs));
  }
  return [...found];
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
