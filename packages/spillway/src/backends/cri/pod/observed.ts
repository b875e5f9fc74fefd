/** What the runtime says of one pod. Times are milliseconds since the epoch. */
export interface ObservedPod {
  readonly sandboxes: readonly ObservedSandbox[];
  /** Every attempt that the runtime still remembers. */
  readonly containers: readonly ObservedContainer[];
}

export interface ObservedSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAt: number;
}

export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly sandboxId: string;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  /** The runtime's word: `Completed`, `Error`, `OOMKilled`, `StartError`. */
  readonly reason?: string;
  readonly message?: string;
  readonly image: string;
  readonly imageId: string;
  /** The back-off that the next restart waits for, written down when the container was created; see restart-backoff.ts. */
  readonly backoffMs: number;
}

export const nothingObserved: ObservedPod = { sandboxes: [], containers: [] };

export function latestSandbox({ sandboxes }: ObservedPod): ObservedSandbox | undefined {
  return latestOf(sandboxes);
}

export function latestContainer({ containers }: ObservedPod, name: string): ObservedContainer | undefined {
  return latestOf(containers.filter((container) => container.name === name));
}

/** The attempt before the latest: what `lastState` and `kubectl logs --previous` are about. */
export function previousContainer({ containers }: ObservedPod, name: string): ObservedContainer | undefined {
  const attempts = containers.filter((container) => container.name === name);
  const latest = latestOf(attempts);
  return latestOf(attempts.filter((container) => container !== latest));
}

export function isAlive({ state }: ObservedContainer): boolean {
  return state !== 'exited';
}

function latestOf<T extends { readonly attempt: number }>(all: readonly T[]): T | undefined {
  return all.reduce<T | undefined>((best, each) => (best && best.attempt >= each.attempt ? best : each), undefined);
}
