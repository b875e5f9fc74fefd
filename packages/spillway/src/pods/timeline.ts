import type { Pod } from '@spillway/kube';

/** What a pod passes until it is Ready, in this order. */
export const stages = [
  /** Bound to the node; Kubernetes tells it in whole seconds. */
  'bound',
  /** The watch has shown the pod. */
  'seen',
  /** It may run here, and everything that it refers to is there. */
  'admitted',
  'createSent',
  'createAccepted',
  /** The last image is there; missing for backends that do not say so. */
  'imagePulled',
  /** All containers were started. */
  'started',
  /** The cluster shows the pod Ready. */
  'ready',
] as const;

export type Stage = (typeof stages)[number];

/** When the stages of one pod's start were passed, in milliseconds since the epoch. Only what this process saw. */
export class Timeline {
  readonly #passed: Partial<Record<Stage, number>> = {};

  /** A stage is passed once; the pulling of images lasts until the last one is there. */
  pass(stage: Stage, atMs: number): void {
    if (stage === 'imagePulled' && this.#passed.started === undefined) this.#passed.imagePulled = atMs;
    else this.#passed[stage] ??= atMs;
  }

  has(stage: Stage): boolean {
    return this.#passed[stage] !== undefined;
  }

  /** In the order of the stages. */
  *passed(): Generator<readonly [stage: Stage, atMs: number], void, undefined> {
    for (const stage of stages) {
      const atMs = this.#passed[stage];
      if (atMs !== undefined) yield [stage, atMs];
    }
  }

  /** From the first to the last stage that was passed. */
  get totalSeconds(): number {
    const times = Array.from(this.passed(), ([, atMs]) => atMs);
    return times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000;
  }

  /**
   * Seconds that each stage took, from the latest of those before it. A stage that was noticed before an earlier one, such
   * as a start before the answer to the create, took none.
   */
  *durations(): Generator<readonly [stage: Stage, seconds: number], void, undefined> {
    let beforeMs: number | undefined;
    for (const [stage, atMs] of this.passed()) {
      if (beforeMs !== undefined) yield [stage, Math.max(0, atMs - beforeMs) / 1000];
      beforeMs = Math.max(beforeMs ?? atMs, atMs);
    }
  }
}

/** When the pod was bound; one that was created with its node's name was bound when it was created. */
export function boundAtMs({ metadata, status }: Pod): number | undefined {
  const scheduled = status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'True');
  const atMs = Date.parse(scheduled?.lastTransitionTime ?? metadata?.creationTimestamp ?? '');
  return Number.isNaN(atMs) ? undefined : atMs;
}
