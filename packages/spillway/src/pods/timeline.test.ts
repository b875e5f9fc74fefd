import { describe, expect, it } from 'vitest';
import { startOfTime, testPod } from './testing/objects.ts';
import { boundAtMs, Timeline } from './timeline.ts';

describe('the timeline of a pod’s start', () => {
  it('tells the stages in their order, and what each took', () => {
    const timeline = new Timeline();
    timeline.pass('started', 900);
    timeline.pass('bound', 0);
    timeline.pass('seen', 250);
    timeline.pass('createSent', 400);
    timeline.pass('createAccepted', 500);
    expect([...timeline.passed()].map(([stage]) => stage)).toEqual([
      'bound',
      'seen',
      'createSent',
      'createAccepted',
      'started',
    ]);
    expect([...timeline.durations()]).toEqual([
      ['seen', 0.25],
      ['createSent', 0.15],
      ['createAccepted', 0.1],
      ['started', 0.4],
    ]);
  });

  it('keeps the first time of a stage, and the last image', () => {
    const timeline = new Timeline();
    for (const at of [100, 200]) {
      timeline.pass('createSent', at);
      timeline.pass('imagePulled', at);
    }
    timeline.pass('started', 300);
    timeline.pass('imagePulled', 400);
    expect(Object.fromEntries(timeline.passed())).toEqual({ createSent: 100, imagePulled: 200, started: 300 });
  });

  it('counts no time twice when the backend shows a start before it answers the create', () => {
    const timeline = new Timeline();
    timeline.pass('createSent', 1000);
    timeline.pass('started', 3000);
    timeline.pass('createAccepted', 4000);
    timeline.pass('ready', 5000);
    expect(Object.fromEntries(timeline.durations())).toEqual({ createAccepted: 3, started: 0, ready: 1 });
  });
});

describe('a pod is bound', () => {
  it('when its scheduler said so', () => {
    const conditions = [{ type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:07Z' }];
    expect(boundAtMs(testPod({ status: { phase: 'Pending', conditions } }))).toBe(startOfTime + 7000);
  });

  it('when it was created with the name of its node', () => {
    expect(boundAtMs(testPod({ metadata: { creationTimestamp: '2026-01-01T00:00:05Z' } }))).toBe(startOfTime + 5000);
    expect(boundAtMs(testPod())).toBeUndefined();
  });
});
