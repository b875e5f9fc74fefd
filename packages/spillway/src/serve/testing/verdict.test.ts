import { expect, it } from 'vitest';
import { exited, running, testInstance, testPod } from '../../pods/testing/objects.ts';
import type { Person } from './population.ts';
import { type Evidence, isUnsettled, violations } from './verdict.ts';

const pod = testPod();
const runs: Person = { uid: 'uid-1', name: 'web-0', exitCode: undefined, fate: 'kept' };
const fails: Person = { ...runs, exitCode: 3 };

function evidence(more: Partial<Evidence> = {}): Evidence {
  return {
    accepted: new Map([['uid-1', 1]]),
    started: new Map([['uid-1', 1]]),
    exitCodes: new Map(),
    instances: new Map([['uid-1', testInstance(pod)]]),
    pods: withStatus('Running', running('app')),
    ...more,
  };
}

function withStatus(phase: string, status: ReturnType<typeof running>): Evidence['pods'] {
  return new Map([['uid-1', { ...pod, status: { phase, containerStatuses: [status] } }]]);
}

const failedWith3 = { exitCodes: new Map([['uid-1', [3]]]), pods: withStatus('Failed', exited('app', 3)) };

it('has nothing against a pod that runs, or has ended as it should', () => {
  expect(violations(runs, evidence())).toEqual([]);
  expect(violations(fails, evidence(failedWith3))).toEqual([]);
  expect(violations({ ...runs, fate: 'forced' }, evidence({ instances: new Map() }))).toEqual([]);
});

it.each<[string, Person, Partial<Evidence>]>([
  ['started 2 times', runs, { started: new Map([['uid-1', 2]]) }],
  ['2 instances', runs, { accepted: new Map([['uid-1', 2]]) }],
  ['never started', runs, { started: new Map() }],
  ['lost its instance', runs, { instances: new Map() }],
  ['left an instance', { ...runs, fate: 'forced' }, {}],
  ['does not run', runs, { pods: withStatus('Running', { ...running('app'), ready: false }) }],
  ['Failed was to be written', fails, { ...failedWith3, pods: withStatus('Running', running('app')) }],
  ['ended with 3, and that was written', fails, { ...failedWith3, pods: withStatus('Failed', exited('app', 137)) }],
  ['ended with 4', fails, { exitCodes: new Map([['uid-1', [4]]]), pods: withStatus('Failed', exited('app', 4)) }],
  ['Failed was to be written', { ...runs, fate: 'deleted' }, { instances: new Map() }],
])('says "%s"', (complaint, person, more) => {
  expect(violations(person, evidence(more)).join('\n')).toContain(`web-0: ${complaint}`);
});

it('waits for what is still to happen', () => {
  expect(isUnsettled(runs, true, evidence())).toBe(false);
  expect(isUnsettled(runs, true, evidence({ pods: new Map() }))).toBe(true);
  expect(isUnsettled(fails, true, evidence())).toBe(true);
  expect(isUnsettled({ ...runs, fate: 'deleted' }, false, evidence())).toBe(true);
  expect(isUnsettled({ ...runs, fate: 'deleted' }, false, evidence({ instances: new Map() }))).toBe(false);
});
