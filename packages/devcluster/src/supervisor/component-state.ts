/**
 * The life of one supervised program, as a pure function.
 *
 * ```
 *            start            ready               exited
 *  stopped ─────────► starting ─────► running ──────────┐
 *     ▲  ▲               │  ▲                           ▼
 *     │  │        exited │  └──────── retry ──────── backoff
 *     │  │               └──────────────────────────────▲
 *     │  └─ stop (from backoff)
 *     └──── exited ── stopping ◄── stop (from starting, running)
 * ```
 */
export type ComponentState =
  | { readonly phase: 'stopped' }
  /** `crashes`: how often in a row it ended before it was ready. */
  | { readonly phase: 'starting'; readonly crashes: number }
  | { readonly phase: 'running' }
  | { readonly phase: 'backoff'; readonly crashes: number }
  /** `restart`: start was asked for while it was still going down. */
  | { readonly phase: 'stopping'; readonly restart: boolean };

export type ComponentEvent =
  | { readonly type: 'start' }
  | { readonly type: 'ready' }
  | { readonly type: 'exited' }
  | { readonly type: 'retry' }
  | { readonly type: 'stop'; readonly signal: NodeJS.Signals };

export type ComponentEffect =
  | { readonly type: 'spawn' }
  | { readonly type: 'kill'; readonly signal: NodeJS.Signals }
  | { readonly type: 'retryLater'; readonly delayMs: number }
  | { readonly type: 'cancelRetry' };

export interface Transition {
  readonly state: ComponentState;
  readonly effects: readonly ComponentEffect[];
}

export const stopped: ComponentState = { phase: 'stopped' };

const spawn: ComponentEffect = { type: 'spawn' };

/** Events that mean nothing in a state leave it as it is: starting twice is starting once. */
export function transition(state: ComponentState, event: ComponentEvent): Transition {
  const unchanged: Transition = { state, effects: [] };
  switch (event.type) {
    case 'start':
      if (state.phase === 'stopped') return { state: { phase: 'starting', crashes: 0 }, effects: [spawn] };
      if (state.phase === 'stopping') return { state: { phase: 'stopping', restart: true }, effects: [] };
      return unchanged;
    case 'ready':
      return state.phase === 'starting' ? { state: { phase: 'running' }, effects: [] } : unchanged;
    case 'retry':
      if (state.phase !== 'backoff') return unchanged;
      return { state: { phase: 'starting', crashes: state.crashes }, effects: [spawn] };
    case 'stop':
      return stop(state, event.signal);
    default:
      return exited(state);
  }
}

/** Doubles from 250 ms to 8 s. */
export function backoffMs(crashes: number): number {
  return 250 * 2 ** Math.min(crashes, 5);
}

function stop(state: ComponentState, signal: NodeJS.Signals): Transition {
  switch (state.phase) {
    case 'starting':
    case 'running':
      return { state: { phase: 'stopping', restart: false }, effects: [{ type: 'kill', signal }] };
    case 'stopping':
      // A second, harder signal passes; a start that was asked for is taken back.
      return { state: { phase: 'stopping', restart: false }, effects: [{ type: 'kill', signal }] };
    case 'backoff':
      return { state: stopped, effects: [{ type: 'cancelRetry' }] };
    default:
      return { state, effects: [] };
  }
}

function exited(state: ComponentState): Transition {
  switch (state.phase) {
    case 'stopping':
      return state.restart
        ? { state: { phase: 'starting', crashes: 0 }, effects: [spawn] }
        : { state: stopped, effects: [] };
    case 'running':
      return { state: { phase: 'backoff', crashes: 0 }, effects: [{ type: 'retryLater', delayMs: backoffMs(0) }] };
    case 'starting': {
      const crashes = state.crashes + 1;
      return { state: { phase: 'backoff', crashes }, effects: [{ type: 'retryLater', delayMs: backoffMs(crashes) }] };
    }
    default:
      return { state, effects: [] };
  }
}
