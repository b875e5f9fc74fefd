import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, stopped, transition, type ComponentEvent, type ComponentState } from './component-state.ts';

const start: ComponentEvent = { type: 'start' };
const ready: ComponentEvent = { type: 'ready' };
const exited: ComponentEvent = { type: 'exited' };
const retry: ComponentEvent = { type: 'retry' };
const stop: ComponentEvent = { type: 'stop', signal: 'SIGTERM' };

function after(...events: ComponentEvent[]): ComponentState {
  return events.reduce((state, event) => transition(state, event).state, stopped);
}

test('a program that crashes when it was running is started again after a moment', () => {
  const crashed = transition(after(start, ready), exited);
  expect(crashed.state.phase).toBe('backoff');
  expect(crashed.effects).toEqual([{ type: 'retryLater', delayMs: backoffMs(0) }]);
  expect(transition(crashed.state, retry).effects).toEqual([{ type: 'spawn' }]);
});

test('one that never gets ready is tried ever more slowly, up to a limit', () => {
  const crashes = [start, exited, retry, exited, retry, exited] as const;
  expect(after(...crashes)).toEqual({ phase: 'backoff', crashes: 3 });
  expect(backoffMs(3)).toBeGreaterThan(backoffMs(2));
  expect(backoffMs(50)).toBe(backoffMs(5));
});

test('having been ready, it is tried quickly again', () => {
  expect(after(start, exited, retry, exited, retry, ready, exited)).toEqual({ phase: 'backoff', crashes: 0 });
});

test('a stopped program stays away, also when its retry was due', () => {
  expect(transition(after(start, exited), stop)).toEqual({ state: stopped, effects: [{ type: 'cancelRetry' }] });
  expect(transition(stopped, retry)).toEqual({ state: stopped, effects: [] });
  expect(after(start, ready, stop, exited)).toEqual(stopped);
});

test('a start during the stop follows it; a second stop takes it back', () => {
  expect(transition(after(start, ready, stop, start), exited).effects).toEqual([{ type: 'spawn' }]);
  expect(after(start, ready, stop, start, stop, exited)).toEqual(stopped);
});

test('whatever happens, there is never more than one process, and a stopped component has none', () => {
  const events = fc.array(fc.constantFrom<ComponentEvent['type']>('start', 'ready', 'exited', 'retry', 'stop'), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(events, (types) => {
      let state: ComponentState = stopped;
      let processes = 0;
      let retryDue = false;
      for (const type of types) {
        // Only what can happen: an exit needs a process, a retry its timer.
        if ((type === 'exited' || type === 'ready') && processes === 0) continue;
        if (type === 'retry' && !retryDue) continue;
        if (type === 'exited') processes -= 1;
        if (type === 'retry') retryDue = false;
        const step = transition(state, type === 'stop' ? stop : { type });
        for (const effect of step.effects) {
          if (effect.type === 'spawn') processes += 1;
          if (effect.type === 'retryLater') retryDue = true;
          if (effect.type === 'cancelRetry') retryDue = false;
        }
        state = step.state;
        expect(processes).toBe(['starting', 'running', 'stopping'].includes(state.phase) ? 1 : 0);
        expect(retryDue).toBe(state.phase === 'backoff');
      }
    }),
  );
});
