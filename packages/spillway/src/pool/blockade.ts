import { noRoomReasons } from '../podspec/contract.ts';

export interface BlockadeOptions {
  /** The answer to `blocked` is another one now. */
  readonly onChange: () => void;
  /** Without a refusal for this long, the next pod may try its luck. Default: 5 minutes. */
  readonly lastsMs?: number;
}

const reasons: Readonly<Record<'soldOut' | 'quota' | 'blocked', string>> = {
  ...noRoomReasons,
  blocked: 'BackendBlocked',
};

/** Whether the pool takes new pods: closed by a refusal for lack of room or rights, opened by success or time. */
export class Blockade {
  readonly #options: BlockadeOptions;
  #blocked: { readonly reason: string; readonly message: string } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BlockadeOptions) {
    this.#options = options;
  }

  get blocked(): { readonly reason: string; readonly message: string } | undefined {
    return this.#blocked;
  }

  refused(kind: keyof typeof reasons, message: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.accepted(), this.#options.lastsMs ?? 300_000);
    this.#timer.unref();
    const before = this.#blocked;
    this.#blocked = { reason: reasons[kind], message };
    if (before?.reason !== this.#blocked.reason) this.#options.onChange();
  }

  accepted(): void {
    clearTimeout(this.#timer);
    if (this.#blocked === undefined) return;
    this.#blocked = undefined;
    this.#options.onChange();
  }
}
