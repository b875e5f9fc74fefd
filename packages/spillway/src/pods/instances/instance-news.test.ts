import { silentLogger } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import type { Instance } from '../../backends/backend.ts';
import { testInstance, testPod } from '../testing/objects.ts';
import { Registry } from '../registry.ts';
import { InstanceNews } from './instance-news.ts';

interface Setup {
  readonly told: string[];
  readonly listed: (listing: { readonly complete: boolean; readonly instances: readonly Instance[] }) => void;
}

function setUp({ podsListed = true, isBelieved = true } = {}): Setup {
  const told: string[] = [];
  const news = new InstanceNews({
    ledger: {
      instance: () => undefined,
      gone: () => undefined,
      listed: () => void told.push('ledger'),
    },
    registry: new Registry(() => 0),
    belief: {
      heldBack: 0,
      holds: () => {
        told.push('belief');
        return isBelieved;
      },
    },
    sweeper: {
      observe: ({ leftOver }) => void told.push(`sweep of ${[...leftOver.keys()].join(' ')}`),
      candidates: 0,
      heldBack: 0,
    },
    record: () => undefined,
    podsListed: () => podsListed,
    logger: silentLogger,
    metrics: {
      instances: () => undefined,
      orphans: () => undefined,
      doubleEnded: () => undefined,
      lossesHeldBack: () => undefined,
    },
  });
  return {
    told,
    listed: ({ complete, instances }) => {
      for (const instance of instances) news.instance(instance);
      news.listed({ startedMs: 0, complete, instances, missing: () => false });
    },
  };
}

const one = testInstance(testPod({ uid: 'one' }));

describe('a listing of the backend', () => {
  it('is told to the ledger, and what has no pod to the sweep', () => {
    const { told, listed } = setUp();
    listed({ complete: true, instances: [one] });
    expect(told).toEqual(['belief', 'ledger', 'sweep of one']);
  });

  it('that is incomplete proves nothing: not even that a suspicion was wrong', () => {
    const { told, listed } = setUp();
    listed({ complete: false, instances: [one] });
    expect(told).toEqual([]);
  });

  it('that is not believed is told to nobody', () => {
    const { told, listed } = setUp({ isBelieved: false });
    listed({ complete: true, instances: [one] });
    expect(told).toEqual(['belief']);
  });

  it('shows nothing without a pod before the pods are known', () => {
    const { told, listed } = setUp({ podsListed: false });
    listed({ complete: true, instances: [one] });
    expect(told).toEqual(['belief', 'ledger']);
  });
});
