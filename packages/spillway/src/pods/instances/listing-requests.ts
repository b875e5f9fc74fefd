import type { Timing } from '@spillway/kube';

/** Who needs a listing of the backend says so here; those who ask together get one. */
export class ListingRequests {
  readonly #timing: Pick<Timing, 'after'>;
  #wanted = Promise.withResolvers<void>();
  #cancel: () => void = () => {};

  constructor(timing: Pick<Timing, 'after'>) {
    this.#timing = timing;
  }

  request(): void {
    this.#wanted.resolve();
  }

  /** Takes the place of what was asked for a later time before. */
  requestIn(ms: number): void {
    this.cancel();
    this.#cancel = this.#timing.after(ms, () => this.request());
  }

  /** A listing begins: what is asked for from now on is another one. */
  taken(): void {
    this.#wanted = Promise.withResolvers();
  }

  /** Resolves when somebody has asked since the last listing began. */
  get wanted(): Promise<void> {
    return this.#wanted.promise;
  }

  /** Takes back what was asked for a later time. */
  cancel(): void {
    this.#cancel();
  }
}
