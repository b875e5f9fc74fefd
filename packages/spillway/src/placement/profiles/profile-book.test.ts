import { nameOf } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { testPod } from '../testing/objects.ts';
import { testProfile } from '../testing/profiles.ts';
import { ProfileBook, whyBetter } from './profile-book.ts';

const pod = testPod({ metadata: { labels: { app: 'web', tier: 'front' } } });

describe('of several profiles that match a pod', () => {
  it('the one with more labels counts, then the older one', () => {
    const book = new ProfileBook();
    book.set(testProfile('young', {}, '2026-02-01T00:00:00Z'));
    book.set(testProfile('old', {}, '2026-01-01T00:00:00Z'));
    book.set(testProfile('other', { objectLabels: { matchLabels: { app: 'other' } } }));
    expect(nameOf(book.match(pod)?.profile ?? {})).toBe('old');
    expect(book.match(pod)?.losers.map(nameOf)).toEqual(['young']);
    book.set(
      testProfile('exact', { objectLabels: { matchLabels: { app: 'web', tier: 'front' } } }, '2026-03-01T00:00:00Z'),
    );
    expect(nameOf(book.match(pod)?.profile ?? {})).toBe('exact');
  });

  it('it is said why one counts', () => {
    const both = { objectLabels: { matchLabels: { app: 'web', tier: 'front' } } };
    expect(whyBetter(testProfile('exact', both), testProfile('wide'))).toBe('has more labels (2, this one 1)');
    expect(whyBetter(testProfile('old'), testProfile('young', {}, '2026-02-01T00:00:00Z'))).toBe(
      'has as many labels and is older',
    );
    expect(whyBetter(testProfile('a'), testProfile('b'))).toBe(
      'has as many labels, is as old, and its name comes first',
    );
  });

  it('none counts that is gone or in another namespace', () => {
    const book = new ProfileBook();
    book.set(testProfile('web'));
    expect(book.match(testPod({ metadata: { namespace: 'other', labels: { app: 'web' } } }))).toBeUndefined();
    book.delete(testProfile('web'));
    expect(book.match(pod)).toBeUndefined();
  });
});
