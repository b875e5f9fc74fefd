import { describe, expect, it } from 'vitest';
import { Bills, type MeteredPod } from './bills.ts';

const nine = Date.parse('2026-01-01T09:00:00Z');
const ms = (seconds: number): number => nine + seconds * 1000;
const at = (seconds: number): string => new Date(ms(seconds)).toISOString().replace('.000Z', 'Z');

const pod = (id: string, more: Partial<MeteredPod> = {}): MeteredPod => ({
  id,
  uid: 'customer-1',
  namespace: 'cce-burst-1',
  name: `shop-${id}`,
  size: { vcpu: 0.5, gib: 1 },
  ended: false,
  finishedMs: undefined,
  ...more,
});
const run = (id: string, started: number, finished?: number): Parameters<Bills['looked']>[0][number] => ({
  id,
  startedMs: ms(started),
  finishedMs: finished === undefined ? undefined : ms(finished),
});
const bill = { uid: 'customer-1', namespace: 'cce-burst-1', name: 'shop-a', size: { vcpu: 0.5, gib: 1 } };

describe('the meter', () => {
  it('counts while a pod runs', () => {
    const bills = new Bills();
    bills.pod(pod('a'));
    expect(bills.read(ms(3)).bills).toEqual([]);
    bills.looked([run('a', 4.2)], ms(5));
    expect(bills.read(ms(10.9))).toEqual({
      at: new Date(ms(10.9)).toISOString(),
      running: 1,
      bills: [{ ...bill, start: at(4), seconds: 6 }],
      overlapping: [],
    });
  });

  it('goes on counting between two attempts of a container, from the first one on', () => {
    const bills = new Bills();
    bills.pod(pod('a'));
    bills.looked([run('a', 4, 6)], ms(7));
    bills.looked([run('a', 12)], ms(13));
    expect(bills.read(ms(14)).bills).toEqual([{ ...bill, start: at(4), seconds: 10 }]);
  });

  it('ends with the last container of a pod that will not run again', () => {
    const bills = new Bills();
    bills.pod(pod('a'));
    bills.looked([run('a', 4)], ms(5));
    bills.pod(pod('a', { ended: true }));
    bills.looked([run('a', 4, 20)], ms(30));
    bills.looked([], ms(40));
    expect(bills.read(ms(50))).toMatchObject({ running: 0, bills: [{ ...bill, end: at(20), seconds: 16 }] });
  });

  it('ends when the machine has nothing of the pod any more: by what the API said last, else at that moment', () => {
    const bills = new Bills();
    for (const id of ['a', 'b']) bills.pod(pod(id, { uid: id }));
    bills.looked([run('a', 4), run('b', 4)], ms(5));
    bills.pod(pod('a', { uid: 'a', ended: true, finishedMs: ms(9) }));
    bills.looked([], ms(12));
    expect(bills.read(ms(50)).bills.map(({ uid, end }) => [uid, end])).toEqual([
      ['a', at(9)],
      ['b', at(12)],
    ]);
  });

  it('counts a pod that the API has forgotten as long as it runs', () => {
    const bills = new Bills();
    bills.looked([run('a', 4)], ms(5));
    bills.pod(pod('a', { ended: true }));
    bills.looked([run('a', 4)], ms(6));
    expect(bills.read(ms(8))).toMatchObject({ running: 1, bills: [{ start: at(4), seconds: 4 }] });
  });

  it('names who is billed for two pods at once', () => {
    const bills = new Bills();
    for (const id of ['a', 'b']) bills.pod(pod(id, { uid: 'twice' }));
    for (const id of ['c', 'd']) bills.pod(pod(id, { uid: 'one-after-the-other', ended: true }));
    bills.looked([run('a', 4), run('b', 5), run('c', 1, 3), run('d', 3, 6)], ms(7));
    expect(bills.read(ms(8)).overlapping).toEqual(['twice']);
  });
});
