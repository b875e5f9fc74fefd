import type { ContainerStatus } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import type { Instance } from '../backends/backend.ts';
import type { Interval } from './interval.ts';
import { Ledger } from './ledger.ts';

const nine = Date.parse('2026-01-01T09:00:00Z');
const at = (seconds: number): string => `${new Date(nine + seconds * 1000).toISOString().slice(0, 19)}Z`;
const ms = (seconds: number): number => nine + seconds * 1000;

const container = (name: string, state: ContainerStatus['state'], lastState = {}): ContainerStatus => ({
  name,
  image: 'busybox',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...(state && { state }),
  lastState,
});
const waiting = { waiting: { reason: 'ContainerCreating' } };
const running = (since: number): ContainerStatus['state'] => ({ running: { startedAt: at(since) } });
const exited = (from: number, to: number, exitCode = 0): NonNullable<ContainerStatus['state']> => ({
  terminated: { exitCode, startedAt: at(from), finishedAt: at(to) },
});

function instance(state: Instance['state'], containers: ContainerStatus[], more: Partial<Instance> = {}): Instance {
  return {
    ref: { uid: 'u', namespace: 'shop', name: 'web' },
    state,
    podIPs: [],
    startTime: at(0),
    spec: { containers: [{ name: 'main', resources: { requests: { cpu: '500m', memory: '1Gi' } } }] },
    initContainerStatuses: [],
    containerStatuses: containers,
    ...more,
  };
}

function newLedger(before: readonly Interval[] = []): Ledger {
  const ledger = new Ledger({
    pool: 'cci',
    node: 'vk',
    sizeOf: ({ containers }) => ({
      cpu: containers[0]?.resources?.requests?.['cpu'] ?? '',
      memory: containers[0]?.resources?.requests?.['memory'] ?? '',
    }),
  });
  ledger.remember(before);
  return ledger;
}

const begun: Interval = {
  uid: 'u',
  accepted: at(0),
  namespace: 'shop',
  name: 'web',
  pool: 'cci',
  node: 'vk',
  cpu: '500m',
  memory: '1Gi',
  start: at(5),
};
const runs = instance('running', [container('main', running(5))]);

describe('a pod is billed', () => {
  it('from the start of its first container, an init container too, and not while it waits for one', () => {
    const ledger = newLedger();
    expect(ledger.seen(instance('starting', [container('main', waiting)]), ms(2))).toEqual([]);
    const initializing = instance('starting', [container('main', waiting)], {
      initContainerStatuses: [container('init', running(5))],
    });
    expect(ledger.seen(initializing, ms(6))).toEqual([begun]);
    expect(ledger.seen(runs, ms(8))).toEqual([]);
  });

  it('until its last container has ended, by the times of the containers', () => {
    const ledger = newLedger();
    ledger.seen(runs, ms(6));
    const ended = instance('ended', [container('main', exited(5, 20)), container('side', exited(5, 25))]);
    expect(ledger.seen(ended, ms(60))).toEqual([{ ...begun, end: at(25), reason: 'Completed' }]);
    expect([...ledger.seen(ended, ms(61)), ...ledger.gone('u', ms(62))]).toEqual([]);
  });

  it('also while only a container runs that Spillway has added, which nobody sees', () => {
    const ledger = newLedger();
    const added = (state: ContainerStatus['state']): Partial<Instance> => ({
      addedContainerStatuses: [container('spillway-link', state)],
    });
    expect(ledger.seen(instance('starting', [container('main', waiting)], added(running(5))), ms(6))).toEqual([begun]);
    const ended = instance('ended', [container('main', exited(9, 20))], added(exited(5, 22)));
    expect(ledger.seen(ended, ms(60))).toEqual([{ ...begun, end: at(22), reason: 'Completed' }]);
  });

  it('on through restarts of its containers', () => {
    const ledger = newLedger();
    ledger.seen(runs, ms(6));
    expect(ledger.seen(instance('running', [container('main', running(30), exited(20, 28, 1))]), ms(31))).toEqual([]);
    const ended = instance('ended', [container('main', exited(30, 40, 1))]);
    expect(ledger.seen(ended, ms(41))).toEqual([{ ...begun, end: at(40), reason: 'Failed' }]);
  });

  it('until it is seen to be gone, when nobody told how it ended', () => {
    const ledger = newLedger();
    ledger.seen(runs, ms(6));
    expect(ledger.gone('u', ms(33.7))).toEqual([{ ...begun, end: at(33), reason: 'Gone' }]);
  });

  it('with what the backend said about its end', () => {
    const ledger = newLedger([begun]);
    const evicted = instance('ended', [], { reason: 'Evicted' });
    expect(ledger.seen(evicted, ms(50))).toEqual([{ ...begun, end: at(50), reason: 'Evicted' }]);
  });

  it('once for each of its instances', () => {
    const ledger = newLedger();
    ledger.seen(runs, ms(6));
    const second = instance('running', [container('main', running(105))], { startTime: at(100) });
    expect(ledger.seen(second, ms(106))).toEqual([
      { ...begun, end: at(106), reason: 'Lost' },
      { ...begun, accepted: at(100), start: at(105) },
    ]);
  });
});

describe('after a restart of Spillway', () => {
  it('a pod that still runs goes on in its interval', () => {
    const ledger = newLedger([begun]);
    expect(ledger.seen(runs, ms(100))).toEqual([]);
    // Its first start is not told any more.
    expect(ledger.seen(instance('running', [container('main', running(60), exited(50, 59))]), ms(100))).toEqual([]);
  });

  it('a pod that ended meanwhile has the end that the backend tells', () => {
    const ended = instance('ended', [container('main', exited(5, 20))]);
    expect(newLedger([begun]).seen(ended, ms(100))).toEqual([{ ...begun, end: at(20), reason: 'Completed' }]);
  });

  it('a pod that came and ended meanwhile is there whole', () => {
    const ended = instance('ended', [container('main', exited(5, 20))]);
    expect(newLedger().seen(ended, ms(100))).toEqual([{ ...begun, end: at(20), reason: 'Completed' }]);
  });

  it('a pod that had ended before is not counted again', () => {
    const ended = instance('ended', [container('main', exited(5, 20))]);
    const ledger = newLedger([{ ...begun, end: at(20), reason: 'Completed' }]);
    expect([...ledger.seen(ended, ms(100)), ...ledger.gone('u', ms(101))]).toEqual([]);
  });

  it('a pod that a complete listing lacks ends when that is noticed', () => {
    const ledger = newLedger([begun, { ...begun, uid: 'there' }, { ...begun, uid: 'ended', end: at(7) }]);
    const lines = ledger.listed((uid) => uid !== 'there', ms(100));
    expect(lines).toEqual([{ ...begun, end: at(100), reason: 'Lost' }]);
    expect(Array.from(ledger.known, ({ uid }) => uid)).toEqual(['there']);
  });

  it('intervals of another pool in the same file are left alone', () => {
    const ledger = newLedger([{ ...begun, pool: 'other' }]);
    expect(ledger.listed(() => true, ms(100))).toEqual([]);
  });
});
