/** How many steps are taken before other work of the process gets its turn. */
const stepsPerTurn = 64;

interface Steppable {
  step(): void;
}

/** Actors that are to take their next step; each at most once in the queue, in the order of their first call. */
export class RunQueue<T extends Steppable> {
  readonly #waiting = new Set<T>();
  readonly #onError: (error: unknown) => void;
  #closed = false;
  #turn: NodeJS.Immediate | undefined;

  /** @param onError a step threw: a defect, which must not keep the others from theirs */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get length(): number {
    return this.#waiting.size;
  }

  add(actor: T): void {
    if (this.#closed) return;
    this.#waiting.add(actor);
    this.#turn ??= setImmediate(() => this.#run());
  }

  delete(actor: T): void {
    this.#waiting.delete(actor);
  }

  /** No more steps, whoever asks for one. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    if (this.#turn) clearImmediate(this.#turn);
    this.#turn = undefined;
  }

  #run(): void {
    this.#turn = undefined;
    let steps = 0;
    for (const actor of this.#waiting) {
      this.#waiting.delete(actor);
      try {
        actor.step();
      } catch (error) {
        this.#onError(error);
      }
      steps += 1;
      if (steps === stepsPerTurn) break;
    }
    if (this.#waiting.size > 0) this.#turn ??= setImmediate(() => this.#run());
  }
}
