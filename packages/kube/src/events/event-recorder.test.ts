import { beforeEach, describe, expect, test } from 'vitest';
import { settle, TestClock } from '../../test/test-clock.ts';
import { ApiError, TransportError } from '../errors.ts';
import type { Event, Pod } from '../generated/index.ts';
import { trusted } from '../json.ts';
import type { ResourceClient } from '../resources/resource-client.ts';
import { EventRecorder, type EventRecorderOptions } from './event-recorder.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'apps', uid: 'u1', resourceVersion: '7' },
};
const pulled = {
  type: 'Normal',
  reason: 'Pulled',
  message: 'image pulled',
  fieldPath: 'spec.containers{app}',
} as const;

let calls: { verb: string; name: string | undefined; body: object }[];
let failures: Error[];
let hold: Promise<void> | undefined;
let dropped: string[];
let clock: TestClock;

beforeEach(() => {
  calls = [];
  failures = [];
  hold = undefined;
  dropped = [];
  clock = new TestClock(Date.parse('2026-05-01T10:00:00.900Z'));
});

async function write<R>(verb: string, name: string | undefined, body: object, signal?: AbortSignal): Promise<R> {
  calls.push({ verb, name, body });
  if (hold !== undefined) {
    const { promise, reject } = Promise.withResolvers<never>();
    signal?.addEventListener('abort', () => reject(new TransportError('aborted', 'given up')));
    await Promise.race([hold, promise]);
  }
  const failure = failures.shift();
  if (failure !== undefined) throw failure;
  return trusted<R>(body);
}

function recorder(options: Partial<EventRecorderOptions> = {}): EventRecorder {
  const resource: Partial<ResourceClient<Event>> = {
    create: (event, call) => write('create', event.metadata?.name, event, call?.signal),
    patch: (ref, patch, call) => write('patch', ref.name, patch.body, call?.signal),
  };
  return new EventRecorder({
    client: { resource: <T extends object>() => trusted<ResourceClient<T>>(resource) },
    component: 'spillway',
    host: 'virtual',
    clock,
    onDropped: (why) => dropped.push(why),
    ...options,
  });
}

test('an event says what happened to which object, who says so and when', async () => {
  const events = recorder();
  events.record(pod, pulled);
  await settle();
  expect(calls).toMatchObject([
    {
      verb: 'create',
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: expect.stringMatching(/^web\.[0-9a-f]{16}$/), namespace: 'apps' },
        involvedObject: {
          apiVersion: 'v1',
          kind: 'Pod',
          namespace: 'apps',
          name: 'web',
          uid: 'u1',
          resourceVersion: '7',
          fieldPath: 'spec.containers{app}',
        },
        type: 'Normal',
        reason: 'Pulled',
        message: 'image pulled',
        count: 1,
        firstTimestamp: '2026-05-01T10:00:00Z',
        lastTimestamp: '2026-05-01T10:00:00Z',
        source: { component: 'spillway', host: 'virtual' },
        reportingComponent: 'spillway',
        reportingInstance: 'virtual',
      },
    },
  ]);
  await events.close();
});

test('events on nodes go to the namespace "default", and references do as well as objects', async () => {
  const events = recorder();
  events.record(
    { kind: 'Node', apiVersion: 'v1', name: 'Virtual_1', uid: 'n' },
    { ...pulled, message: 'x'.repeat(5_000) },
  );
  await settle();
  const { metadata, message = '' } = trusted<Event>(calls[0]?.body);
  expect(metadata).toMatchObject({ namespace: 'default', name: expect.stringMatching(/^event\./) });
  expect(message).toHaveLength(1024);
  await events.close();
});

describe('repeats', () => {
  test('become one Event with a count', async () => {
    const events = recorder();
    events.record(pod, pulled);
    await settle();
    await clock.advance(60_000);
    events.record(pod, pulled);
    await settle();
    expect(calls[1]).toEqual({
      verb: 'patch',
      name: calls[0]?.name,
      body: { count: 2, lastTimestamp: '2026-05-01T10:01:00Z' },
    });
    events.record(pod, { ...pulled, message: 'another image pulled' });
    await settle();
    expect(calls[2]?.verb).toBe('create');
    expect(calls[2]?.name).not.toBe(calls[0]?.name);
    await events.close();
  });

  test('while the server is slow are counted and written once', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const events = recorder();
    for (let i = 0; i < 100; i++) {
      events.record(pod, pulled);
      if (i === 0) await settle();
    }
    hold = undefined;
    resolve();
    await settle();
    expect(calls.map(({ verb }) => verb)).toEqual(['create', 'patch']);
    expect(calls[1]?.body).toMatchObject({ count: 100 });
    await events.close();
  });

  test('of an Event that has expired make it anew, with the whole count', async () => {
    const events = recorder();
    events.record(pod, pulled);
    await settle();
    failures.push(new ApiError('not found', { status: 404 }));
    events.record(pod, pulled);
    await settle();
    expect(calls.map(({ verb }) => verb)).toEqual(['create', 'patch', 'create']);
    expect(calls[2]?.body).toMatchObject({ count: 2, firstTimestamp: '2026-05-01T10:00:00Z' });
    await events.close();
  });
});

describe('trouble', () => {
  test('of the server is waited out, and what happens meanwhile is counted', async () => {
    failures.push(new TransportError('unreachable', 'refused'), new ApiError('no leader', { status: 503 }));
    const events = recorder();
    events.record(pod, pulled);
    await settle();
    events.record(pod, pulled);
    await clock.advance(5_000);
    expect(calls.map(({ verb }) => verb)).toEqual(['create', 'create', 'create']);
    expect(calls[2]?.body).toMatchObject({ count: 2 });
    expect(dropped).toEqual([]);
    await events.close();
  });

  test('that cannot go away drops the event: a namespace that is being deleted', async () => {
    failures.push(new ApiError('the namespace is being terminated', { status: 403 }));
    const events = recorder();
    events.record(pod, pulled);
    await clock.advance(60_000);
    expect(calls).toHaveLength(1);
    expect(dropped).toEqual(['refused']);
    await events.close();
  });

  test('that lasts gives an event up after twelve tries', async () => {
    for (let i = 0; i < 20; i++) failures.push(new TransportError('unreachable', 'refused'));
    const events = recorder();
    events.record(pod, pulled);
    await clock.advance(600_000);
    expect(calls).toHaveLength(13);
    expect(dropped).toEqual(['refused']);
    await events.close();
  });

  test('never reaches the caller', () => {
    const events = recorder();
    events.record({}, pulled);
    events.record({ kind: 'Pod' }, pulled);
    expect(calls).toEqual([]);
    return events.close();
  });
});

describe('limits', () => {
  test('a full queue drops what is new', async () => {
    hold = new Promise(() => undefined);
    const events = recorder({ queueLimit: 10 });
    for (let i = 0; i < 30; i++) events.record({ ...pod, metadata: { ...pod.metadata, name: `p${i}` } }, pulled);
    await settle();
    expect(dropped).toEqual(Array.from({ length: 20 }, () => 'full'));
    const closing = events.close();
    await clock.advance(5_000);
    await closing;
  });

  test('an object that never stops talking is heard 25 times, then every five minutes', async () => {
    const events = recorder();
    for (let i = 0; i < 40; i++) events.record(pod, { ...pulled, message: `attempt ${i}` });
    await settle();
    expect(calls).toHaveLength(25);
    expect(dropped).toHaveLength(15);
    await clock.advance(300_000);
    events.record(pod, { ...pulled, message: 'once more' });
    await settle();
    expect(calls).toHaveLength(26);
    await events.close();
  });
});

test('a reason that is told again and again does not keep another from being told', async () => {
  const events = recorder();
  for (let i = 0; i < 40; i++) {
    events.record(pod, { ...pulled, reason: 'Unhealthy', message: 'Readiness probe failed' });
    await settle();
  }
  events.record(pod, { ...pulled, reason: 'NotSupportedByPool' });
  await settle();
  expect(calls).toHaveLength(26);
  expect(calls.at(-1)).toMatchObject({ verb: 'create', body: { reason: 'NotSupportedByPool' } });
  await events.close();
});

describe('in a burst', () => {
  const warning = { ...pulled, type: 'Warning', reason: 'FailedMount' } as const;

  test('Normal events wait for requests that matter more, Warnings do not', async () => {
    let isBusy = true;
    const events = recorder({ isBusy: () => isBusy });
    events.record(pod, pulled);
    events.record(pod, warning);
    await clock.advance(10_000);
    expect(calls).toMatchObject([{ body: { reason: 'FailedMount' } }]);
    isBusy = false;
    await clock.advance(1000);
    expect(calls).toMatchObject([{}, { body: { reason: 'Pulled' } }]);
    await events.close();
  });

  test('they wait for half a minute at most', async () => {
    const events = recorder({ isBusy: () => true });
    events.record(pod, pulled);
    await clock.advance(31_000);
    expect(calls).toHaveLength(1);
    await events.close();
  });

  test('of an object that is gone when their turn comes, only Warnings are written', async () => {
    let isBusy = true;
    const events = recorder({ isBusy: () => isBusy, isGone: ({ uid }) => uid === 'u1' });
    events.record(pod, pulled);
    events.record(pod, warning);
    events.record({ ...pod, metadata: { ...pod.metadata, uid: 'u2' } }, pulled);
    await clock.advance(11_000);
    isBusy = false;
    await clock.advance(1000);
    expect(calls).toMatchObject([
      { body: { reason: 'FailedMount' } },
      { body: { reason: 'Pulled', involvedObject: { uid: 'u2' } } },
    ]);
    expect(dropped).toEqual(['gone']);
    await events.close();
  });
});

test('a Warning is written however long that takes, also when its object is gone by then', async () => {
  for (let i = 0; i < 6; i++) failures.push(new TransportError('unreachable', 'refused'));
  const events = recorder({ isGone: () => true });
  events.record(pod, { ...pulled, type: 'Warning' });
  await clock.advance(60_000);
  expect(calls).toHaveLength(7);
  expect(dropped).toEqual([]);
  await events.close();
});

describe('closing', () => {
  test('writes what waits', async () => {
    const events = recorder();
    for (let i = 0; i < 20; i++) events.record(pod, { ...pulled, message: `${i}` });
    await events.close();
    expect(calls).toHaveLength(20);
    events.record(pod, { ...pulled, message: 'too late' });
    await settle();
    expect(calls).toHaveLength(20);
  });

  test('does not wait for ever for a server that does not answer', async () => {
    hold = new Promise(() => undefined);
    const events = recorder({ flushTimeoutMs: 1_000 });
    events.record(pod, pulled);
    await settle();
    const closing = events.close();
    await clock.advance(1_000);
    await closing;
    expect(clock.sleeping).toBe(0);
  });
});
