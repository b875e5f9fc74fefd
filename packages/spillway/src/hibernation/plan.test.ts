import { describe, expect, test } from 'vitest';
import { parseJson } from '../placement/rules/admitted.ts';
import { burstLabels } from '../podspec/contract.ts';
import { hibernationAnnotation, type HibernationTarget } from '../podspec/hibernation.ts';
import { nextReturn, nextStep, patchOf, type Return } from './plan.ts';
import { burstPod, workload } from './testing/objects.ts';
import { type Workload, type WorkloadKind, workloadOf } from './workload.ts';

const kinds = ['Deployment', 'StatefulSet', 'ReplicaSet', 'Job', 'CronJob'] as const;
const policies = ['auto', 'localPrefer', 'enforce'] as const;
const targets = ['local', 'zero'] as const;
const now = '2026-11-30T22:00:00Z';

interface State {
  readonly replicas: number;
  readonly suspend: boolean;
  readonly label: string | undefined;
  readonly record: string | undefined;
  /** On virtual nodes. */
  readonly pods: number;
}

/** A cluster with one workload, and no room on its own nodes: pods burst as long as they may. */
class World {
  readonly #kind: WorkloadKind;
  state: State;

  constructor(kind: WorkloadKind, label: string) {
    this.#kind = kind;
    this.state = { replicas: 3, suspend: false, label, record: undefined, pods: 0 };
    this.#controllers(false);
  }

  seen(): Workload {
    const { replicas, suspend, label, record, pods } = this.state;
    const annotations = record === undefined ? {} : { [hibernationAnnotation]: record };
    const object = workload(this.#kind, { replicas, suspend, label, annotations });
    const all = Array.from({ length: pods }, (_, index) => burstPod(`web-${index}`));
    return workloadOf(object, { profiles: [], taintKeys: new Set(), podsOf: () => all });
  }

  /** @returns whether there is more to do */
  step(to: HibernationTarget, closed: boolean): boolean {
    const seen = this.seen();
    const step = nextStep(seen, { to, closed, now });
    if (step.kind === 'done') return false;
    if (step.kind === 'endPods') this.state = { ...this.state, pods: 0 };
    if (step.kind === 'change') this.#patch(patchOf(seen, step.change, step.record));
    this.#controllers(closed);
    return true;
  }

  hibernate(to: HibernationTarget, closed: boolean, steps = 20): void {
    for (let count = 0; count < steps; count += 1) if (!this.step(to, closed)) return;
    if (steps >= 20) throw new Error(`never done: ${JSON.stringify(this.state)}`);
  }

  resume(): void {
    const seen = this.seen();
    if (seen.record !== undefined) {
      const { change, record } = returnOf(seen);
      this.#patch(patchOf(seen, change, record));
    }
    this.#controllers(false);
  }

  #patch(body: object): void {
    const { metadata, spec } = parseJson<Patched>(JSON.stringify(body));
    const template = spec.template ?? spec.jobTemplate?.spec.template;
    const label = template?.metadata.labels[burstLabels[0]];
    this.state = {
      ...this.state,
      record: metadata.annotations[hibernationAnnotation] ?? undefined,
      ...(spec.replicas !== undefined && { replicas: spec.replicas }),
      ...(spec.suspend !== undefined && { suspend: spec.suspend }),
      ...(label !== undefined && { label: label ?? undefined }),
    };
  }

  /** Pods that must go go; those that stay keep the template that they were made from. */
  #controllers(closed: boolean): void {
    const { replicas, suspend, label } = this.state;
    const isScaled = this.#kind !== 'Job' && this.#kind !== 'CronJob';
    const wanted = this.#kind === 'CronJob' ? 0 : isScaled ? replicas : suspend ? 0 : 2;
    const mayCome = !closed && label !== 'off';
    this.state = { ...this.state, pods: mayCome ? wanted : Math.min(wanted, this.state.pods) };
  }
}

interface Patched {
  readonly metadata: { readonly annotations: Readonly<Record<string, string | null>> };
  readonly spec: {
    readonly replicas?: number;
    readonly suspend?: boolean;
    readonly template?: Template;
    readonly jobTemplate?: { readonly spec: { readonly template: Template } };
  };
}

interface Template {
  readonly metadata: { readonly labels: Record<string, string | null> };
}

function returnOf(seen: Workload): Return {
  const due = nextReturn(seen);
  if (due === 'wait') throw new Error('nothing is to be waited for');
  return due;
}

const worlds = kinds.flatMap((kind) =>
  policies.flatMap((policy) => [true, false].map((closed) => [kind, policy, closed] as const)),
);

describe.each(worlds)('a %s with %s (virtual nodes closed: %s)', (kind, policy, closed) => {
  test.each(targets)('has no burst pods after it hibernates to %s, and is as before when it resumes', (to) => {
    const world = new World(kind, policy);
    const before = world.state;
    world.hibernate(to, closed);
    expect(world.state.pods).toBe(0);
    world.resume();
    expect(world.state).toEqual(before);
  });

  test.each(targets)('is the same after a second run to %s', (to) => {
    const world = new World(kind, policy);
    world.hibernate(to, closed);
    const { state } = world;
    world.hibernate(to, closed);
    expect(world.state).toEqual(state);
  });

  test.each(targets)('killed after any step to %s, it resumes, and another run completes it', (to) => {
    const complete = new World(kind, policy);
    const before = complete.state;
    complete.hibernate(to, closed);
    for (const steps of [0, 1, 2, 3, 4, 5]) {
      const resumed = new World(kind, policy);
      resumed.hibernate(to, closed, steps);
      resumed.resume();
      expect(resumed.state).toEqual(before);
      const completed = new World(kind, policy);
      completed.hibernate(to, closed, steps);
      completed.hibernate(to, closed);
      expect(completed.state).toEqual(complete.state);
    }
  });

  test('goes from one to the other at any step, and back as it was', () => {
    for (const [first, second] of [
      ['local', 'zero'],
      ['zero', 'local'],
    ] as const) {
      for (const steps of [1, 2, 3, 20]) {
        const world = new World(kind, policy);
        const before = world.state;
        world.hibernate(first, closed, steps);
        world.hibernate(second, closed);
        expect(world.state.pods).toBe(0);
        world.resume();
        expect(world.state).toEqual(before);
      }
    }
  });
});

test('without a reason, pods on nodes of the cluster are left alone', () => {
  const world = new World('Deployment', 'localPrefer');
  world.state = { ...world.state, pods: 0 };
  const { state } = world;
  world.hibernate('local', true);
  expect(world.state).toEqual(state);
});

test('what burst is moved without a restart of the others: only its pods end', () => {
  expect(nextStep(new World('Deployment', 'auto').seen(), { to: 'local', closed: true, now })).toEqual({
    kind: 'endPods',
  });
});

test('a Job does not lose its burst pods, which would count as failed: it is suspended until they have ended', () => {
  const world = new World('Job', 'auto');
  world.step('local', true);
  expect(world.state).toMatchObject({ suspend: true });
  world.hibernate('local', true);
  expect(world.state).toMatchObject({ suspend: false, record: undefined });
});

test('a StatefulSet gets its replicas back when all its pods are gone, also those on nodes of the cluster', () => {
  const world = new World('StatefulSet', 'enforce');
  world.hibernate('local', true, 1);
  const wish = { to: 'local', closed: true, now } as const;
  expect(nextStep({ ...world.seen(), present: 1 }, wish)).toEqual({ kind: 'wait' });
  expect(nextStep(world.seen(), wish)).toMatchObject({ change: { replicas: 3 } });
});

test('a StatefulSet of which a pod is not ready is given back in steps, and can be left between them', () => {
  const world = new World('StatefulSet', 'enforce');
  const before = world.state;
  world.hibernate('local', true);
  const stuck = { ...world.seen(), present: 1, ready: 0 };
  const first = returnOf(stuck);
  expect(first).toMatchObject({ change: { replicas: 0, label: 'enforce' }, record: { replicas: 3 } });
  world.state = { ...world.state, replicas: 0, label: 'enforce', record: JSON.stringify(first.record) };
  expect(nextReturn({ ...world.seen(), present: 1, ready: 0 })).toBe('wait');
  world.resume();
  expect(world.state).toEqual(before);
});

test('a StatefulSet of which all pods are ready is given back at once', () => {
  const world = new World('StatefulSet', 'enforce');
  world.hibernate('local', true);
  expect(returnOf({ ...world.seen(), present: 3, ready: 3 })).toMatchObject({
    change: { label: 'enforce' },
    record: undefined,
  });
});

test('a workload that was at 0 or suspended stays so', () => {
  const idle = new World('Deployment', 'auto');
  idle.state = { ...idle.state, replicas: 0, pods: 0 };
  const suspended = new World('CronJob', 'auto');
  suspended.state = { ...suspended.state, suspend: true };
  for (const world of [idle, suspended]) {
    const { state } = world;
    world.hibernate('zero', true);
    expect(world.state).toEqual(state);
  }
});

const hibernated = (kind: WorkloadKind, to: HibernationTarget = 'zero'): World => {
  const world = new World(kind, 'enforce');
  world.hibernate(to, true);
  return world;
};

describe('what somebody has changed in between', () => {
  test('are replicas: they stay, and it is said', () => {
    const world = hibernated('Deployment');
    world.state = { ...world.state, replicas: 5 };
    expect(returnOf(world.seen())).toMatchObject({ change: {}, kept: ['it has 5 replicas now, and had 3'] });
    world.resume();
    expect(world.state).toMatchObject({ replicas: 5, record: undefined });
  });

  test('are replicas, to what there was: nothing is to be said', () => {
    const world = hibernated('Deployment');
    world.state = { ...world.state, replicas: 3 };
    expect(returnOf(world.seen())).toMatchObject({ change: {}, kept: [] });
  });

  test('are replicas, and it hibernates again: the newer number is given back', () => {
    const world = hibernated('Deployment');
    world.state = { ...world.state, replicas: 5 };
    world.hibernate('zero', true);
    world.resume();
    expect(world.state.replicas).toBe(5);
  });

  test('is the label of the pods: it stays, and it is said', () => {
    const world = hibernated('Deployment', 'local');
    world.state = { ...world.state, label: 'auto' };
    expect(returnOf(world.seen()).kept).toEqual(['the burst label of its pods is "auto" now, and was "enforce"']);
    world.resume();
    expect(world.state.label).toBe('auto');
  });

  test('is a Job that somebody has let go on', () => {
    const world = hibernated('Job');
    world.state = { ...world.state, suspend: false };
    expect(returnOf(world.seen())).toMatchObject({ change: {}, kept: [] });
  });
});

test('a record that somebody has damaged gives nothing back that it does not say', () => {
  for (const record of ['{', '[]', '{"replicas":"3","suspended":"yes","label":3}']) {
    const world = new World('Deployment', 'auto');
    world.state = { ...world.state, replicas: 0, record };
    world.resume();
    expect(world.state).toMatchObject({ replicas: 0, record: undefined, label: 'auto' });
  }
});

test('a patch holds only for the version that was seen', () => {
  const seen = new World('CronJob', 'auto').seen();
  expect(patchOf(seen, { label: 'off' }, undefined)).toEqual({
    metadata: { uid: seen.uid, resourceVersion: '7', annotations: { [hibernationAnnotation]: null } },
    spec: { jobTemplate: { spec: { template: { metadata: { labels: { [burstLabels[0]]: 'off' } } } } } },
  });
});
