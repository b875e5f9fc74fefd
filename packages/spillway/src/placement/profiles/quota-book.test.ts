import { expect, it } from 'vitest';
import { profileGate } from '../../podspec/contract.ts';
import { testPod } from '../testing/objects.ts';
import { QuotaBook } from './quota-book.ts';

it('a place that was given is taken, although the watch still shows the pod waiting', () => {
  const book = new QuotaBook();
  const gated = testPod({ metadata: { uid: 'u' }, spec: { schedulingGates: [{ name: profileGate }] } });
  const member = { profile: 'default/web', ungated: undefined };
  book.observe(gated, member, undefined);
  expect(book.counts('default/web')).toMatchObject({ waiting: 1, local: 0 });
  book.give('u', 'default/web', 'local');
  book.observe(gated, member, undefined);
  expect(book.counts('default/web')).toMatchObject({ waiting: 0, local: 1 });
  expect([...book.waiting('default/web')]).toEqual([]);
});
