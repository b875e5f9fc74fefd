import { describe, expect, test } from 'vitest';
import type { Instance, InstanceEvent } from './backend.ts';
import { EventHub } from './event-hub.ts';

const ref = (uid: string): Instance['ref'] => ({ uid, namespace: 'default', name: 'pod' });
const instance = (uid: string, state: Instance['state']): Instance => ({
  ref: ref(uid),
  state,
  podIPs: [],
  startTime: '2026-01-01T00:00:00Z',
  containerStatuses: [],
  initContainerStatuses: [],
});

/** Reads until `count` events have come. */
async function read(events: AsyncIterable<InstanceEvent>, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) {
    const detail = event.type === 'changed' ? event.instance.state : event.type === 'notice' ? event.notice.reason : '';
    const uid = event.type === 'gap' ? '' : event.type === 'changed' ? event.instance.ref.uid : event.ref.uid;
    seen.push(`${uid} ${event.type} ${detail}`.trim());
    if (seen.length === count) break;
  }
  return seen;
}

describe('watching instances', () => {
  test('every watcher gets what happens from its call on', async () => {
    const hub = new EventHub();
    const { signal } = new AbortController();
    hub.changed(instance('0', 'running'));
    const [one, two] = [hub.watch(signal), hub.watch(signal)];
    hub.changed(instance('1', 'running'));
    hub.gone(ref('2'));
    expect(await read(one, 2)).toEqual(['1 changed running', '2 gone']);
    expect(await read(two, 2)).toEqual(['1 changed running', '2 gone']);
  });

  test('a slow watcher gets the newest state of each instance, after the notices that explain it', async () => {
    const hub = new EventHub();
    const events = hub.watch(new AbortController().signal);
    hub.changed(instance('1', 'starting'));
    hub.notice(ref('1'), { severity: 'Normal', reason: 'Started', message: '' });
    hub.changed(instance('2', 'starting'));
    hub.changed(instance('1', 'running'));
    expect(await read(events, 3)).toEqual(['1 notice Started', '2 changed starting', '1 changed running']);
  });

  test('a watcher that waits is woken', async () => {
    const hub = new EventHub();
    const reading = read(hub.watch(new AbortController().signal), 2);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    hub.changed(instance('1', 'running'));
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    hub.gone(ref('1'));
    expect(await reading).toEqual(['1 changed running', '1 gone']);
  });

  test('ends when nobody wants to know any more', async () => {
    const hub = new EventHub();
    const leaving = new AbortController();
    const reading = read(hub.watch(leaving.signal), 1);
    leaving.abort();
    expect(await reading).toEqual([]);
    expect(await read(hub.watch(AbortSignal.abort()), 1)).toEqual([]);
  });

  test('one that never reads does not grow without bound', async () => {
    const hub = new EventHub();
    const events = hub.watch(new AbortController().signal);
    for (let count = 0; count < 25_000; count++) {
      hub.notice(ref('1'), { severity: 'Normal', reason: String(count), message: '' });
    }
    hub.gone(ref('1'));
    const seen: string[] = [];
    for await (const event of events) {
      seen.push(event.type === 'notice' ? event.notice.reason : event.type);
      if (event.type === 'gone') break;
    }
    expect(seen.length).toBeLessThan(10_002);
    expect(seen.slice(-2)).toEqual(['24999', 'gone']);
  });
});
