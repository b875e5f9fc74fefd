import { Problem } from './problem.ts';

/** Bounds how many logs and commands are served at the same time. */
export class StreamSlots {
  readonly #max: number;
  readonly #onChange: (taken: number) => void;
  #taken = 0;

  constructor(max: number, onChange: (taken: number) => void) {
    this.#max = max;
    this.#onChange = onChange;
  }

  /** @throws {Problem} 429 */
  async hold(work: () => Promise<void>): Promise<void> {
    if (this.#taken >= this.#max) {
      const message = `the virtual node already serves ${this.#max} logs and commands; try again later`;
      throw new Problem(429, message, { retryAfterSeconds: 1 });
    }
    this.#change(1);
    try {
      await work();
    } finally {
      this.#change(-1);
    }
  }

  #change(by: number): void {
    this.#taken += by;
    this.#onChange(this.#taken);
  }
}
