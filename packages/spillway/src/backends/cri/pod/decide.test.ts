import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { container, exited, pod, sandbox, situation, type SituationInput } from '../../testing/observed-pods.ts';
import { decide, type Decision } from './decide.ts';
import type { ObservedContainer, ObservedPod } from './observed.ts';
import type { Intent, PodPlan } from './plan.ts';

const next = (input: SituationInput): Decision => decide(situation(input));
const start = (name: string, attempt = 0, backoffMs = 0): Decision => ({
  step: 'start',
  start: { name, attempt, backoffMs },
});

describe('a pod that shall run', () => {
  test('gets a sandbox first', () => {
    expect(next({})).toEqual({ step: 'createSandbox', attempt: 0 });
  });

  test('gets its containers one after the other', () => {
    const plan = { containers: ['a', 'b'] };
    expect(next({ plan, pod: pod() })).toEqual(start('a'));
    expect(next({ plan, pod: pod([container('a')]) })).toEqual(start('b'));
    expect(next({ plan, pod: pod([container('a'), container('b')]) })).toEqual({ step: 'wait' });
  });

  test('waits for each init container to succeed', () => {
    const plan = { initContainers: ['i', 'j'] };
    expect(next({ plan, pod: pod() })).toEqual(start('i'));
    expect(next({ plan, pod: pod([container('i')]) })).toEqual({ step: 'wait' });
    expect(next({ plan, pod: pod([exited('i', 0)]) })).toEqual(start('j'));
    expect(next({ plan, pod: pod([exited('i', 0), exited('j', 1)]) })).toEqual(start('j', 1, 10_000));
    expect(next({ plan, pod: pod([exited('i', 0), exited('j', 0)]) })).toEqual(start('main'));
  });

  test('is not initialised again while its containers run, even when the runtime has forgotten how it was', () => {
    expect(next({ plan: { initContainers: ['i'] }, pod: pod([container('main')]) })).toEqual({ step: 'wait' });
  });

  test('starts what a crash left created', () => {
    expect(next({ pod: pod([container('main', { state: 'created' })]) })).toEqual({
      step: 'start',
      start: { name: 'main', attempt: 0, backoffMs: 0, createdId: 'main-0' },
    });
  });

  test.each(['Always', 'Never'] as const)(
    'does not count a start that the runtime gave up for us as a run: %s',
    (restartPolicy) => {
      const message = 'failed to start containerd task "x": context canceled: unknown';
      const aborted = exited('main', 128, { reason: 'StartError', message });
      expect(next({ plan: { restartPolicy }, pod: pod([aborted]) })).toEqual({
        step: 'start',
        start: { name: 'main', attempt: 0, backoffMs: 0, discardId: 'main-0' },
      });
    },
  );

  test('is not held up by a container that waits for another try', () => {
    const failures = new Map([['a', { at: 0, retryAt: 10_000, reason: 'ErrImagePull', message: '' }]]);
    const plan = { containers: ['a', 'b'] };
    expect(next({ plan, failures, pod: pod() })).toEqual(start('b'));
    expect(next({ plan, failures, pod: pod([container('b')]) })).toEqual({ step: 'wait', until: 10_000 });
    expect(next({ plan, failures, pod: pod([container('b')]), now: 10_000 })).toEqual(start('a'));
  });

  test('looks again soon after a failed pull, to say that it waits', () => {
    const backoff = { reason: 'ImagePullBackOff', message: '', event: '' };
    const failures = new Map([['main', { at: 2000, retryAt: 12_000, reason: 'ErrImagePull', message: '', backoff }]]);
    expect(next({ failures, pod: pod() })).toEqual({ step: 'wait', until: 4000 });
    expect(next({ failures, pod: pod(), now: 4000 })).toEqual({ step: 'wait', until: 12_000 });
  });
});

describe('a container that ended', () => {
  test.each([
    ['Always', 0, true],
    ['Always', 1, true],
    ['OnFailure', 0, false],
    ['OnFailure', 1, true],
    ['Never', 0, false],
    ['Never', 1, false],
  ] as const)('under %s with exit code %i is started again: %s', (restartPolicy, exitCode, again) => {
    const plan = { restartPolicy, containers: ['main', 'other'] };
    const decision = next({ plan, pod: pod([exited('main', exitCode), container('other')]) });
    expect(decision).toEqual(again ? start('main', 1, 10_000) : { step: 'wait' });
  });

  test('waits for its back-off', () => {
    const crashed = exited('main', 1, { attempt: 3, backoffMs: 40_000, finishedAt: 1000 });
    expect(next({ pod: pod([crashed]) })).toEqual({ step: 'wait', until: 41_000 });
    expect(next({ pod: pod([crashed]), now: 41_000 })).toEqual(start('main', 4, 80_000));
  });

  test('ends the pod when it was the last, and the pod’s network is released', () => {
    const plan = { restartPolicy: 'Never' } as const;
    const ended = [exited('main', 0)];
    expect(next({ plan, pod: pod(ended) })).toEqual({ step: 'stopSandbox', sandboxId: 's0' });
    expect(next({ plan, pod: pod(ended, [sandbox({ ready: false })]) })).toEqual({ step: 'ended' });
  });

  test('as an init container for good ends the pod', () => {
    const plan = { restartPolicy: 'Never', initContainers: ['i'] } as const;
    expect(next({ plan, pod: pod([exited('i', 1)]) })).toEqual({ step: 'stopSandbox', sandboxId: 's0' });
  });
});

describe('a pod whose sandbox died', () => {
  const dead = [sandbox({ ready: false })];

  test('gets another one, when what still runs was ended', () => {
    expect(next({ pod: pod([container('main')], dead) })).toMatchObject({ step: 'stopContainers', stopBy: 32_000 });
    expect(next({ pod: pod([exited('main', 137)], dead) })).toEqual({ step: 'createSandbox', attempt: 1 });
  });

  test('initialises again in it and counts restarts on', () => {
    const plan = { initContainers: ['i'] };
    const sandboxes = [...dead, sandbox({ id: 's1', attempt: 1 })];
    const before = [exited('i', 0), exited('main', 137)];
    expect(next({ plan, pod: pod(before, sandboxes) })).toEqual(start('i', 1, 10_000));
    const after = [...before, exited('i', 0, { attempt: 1, sandboxId: 's1' })];
    expect(next({ plan, pod: pod(after, sandboxes) })).toEqual(start('main', 1, 10_000));
  });

  test('does not run again what has run under Never', () => {
    const plan = { restartPolicy: 'Never' } as const;
    expect(next({ plan, pod: pod([exited('main', 137)], dead) })).toEqual({ step: 'ended' });
  });

  test('that the runtime has forgotten altogether is lost under Never, and made again otherwise', () => {
    const intent = { podIPs: ['10.0.0.1'] };
    expect(next({ plan: { restartPolicy: 'Never' }, intent })).toMatchObject({
      step: 'expire',
      reason: 'InstanceLost',
    });
    expect(next({ intent })).toEqual({ step: 'createSandbox', attempt: 0 });
  });

  test('waits before the next try when making a sandbox failed', () => {
    const failures = new Map([['', { at: 0, retryAt: 9000, reason: '', message: '' }]]);
    expect(next({ failures })).toEqual({ step: 'wait', until: 9000 });
  });
});

describe('a pod that shall end', () => {
  const intent = { stopBy: 7000 };

  test('has its containers ended together, within the grace that is left', () => {
    const containers = [container('main'), container('other', { state: 'created' }), exited('done', 0)];
    expect(next({ intent, pod: pod(containers) })).toEqual({
      step: 'stopContainers',
      containers: containers.slice(0, 2),
      stopBy: 7000,
    });
  });

  test('starts nothing any more', () => {
    expect(next({ intent })).toEqual({ step: 'ended' });
    expect(next({ intent, pod: pod() })).toEqual({ step: 'stopSandbox', sandboxId: 's0' });
    expect(next({ intent, pod: pod([exited('main', 1)]) })).toEqual({ step: 'stopSandbox', sandboxId: 's0' });
  });

  test('that is to be removed goes at once, whatever it does', () => {
    expect(next({ intent: { removing: true }, pod: pod([container('main')]) })).toEqual({ step: 'destroy' });
  });

  test('because it was active for too long gets the pod’s grace', () => {
    const plan = { activeDeadlineSeconds: 5 };
    expect(next({ plan, pod: pod([container('main')]) })).toEqual({ step: 'wait', until: 5000 });
    expect(next({ plan, pod: pod([container('main')]), now: 5000 })).toMatchObject({
      step: 'expire',
      stopBy: 35_000,
      reason: 'DeadlineExceeded',
    });
    const finished = { plan: { ...plan, restartPolicy: 'Never' }, pod: pod([exited('main', 0)]), now: 6000 } as const;
    expect(next(finished)).toEqual({ step: 'stopSandbox', sandboxId: 's0' });
  });
});

/** A runtime that does what it is told, and to which things happen. */
class Model {
  readonly plan: PodPlan;
  intent: Intent = { acceptedAt: 0, podIPs: [] };
  observed: ObservedPod = { sandboxes: [], containers: [] };
  now = 0;
  readonly starts: string[] = [];

  constructor(plan: PodPlan) {
    this.plan = plan;
  }

  get decision(): Decision {
    return decide({ plan: this.plan, intent: this.intent, pod: this.observed, failures: new Map(), now: this.now });
  }

  perform(decision: Decision): void {
    this.now += 10;
    switch (decision.step) {
      case 'createSandbox':
        expect(this.observed.sandboxes.filter(({ ready }) => ready)).toEqual([]);
        this.#sandboxes([
          ...this.observed.sandboxes,
          sandbox({ id: `s${decision.attempt}`, attempt: decision.attempt }),
        ]);
        this.intent = { ...this.intent, podIPs: ['10.0.0.1'] };
        break;
      case 'start':
        this.#start(decision.start.name, decision.start.attempt, decision.start.backoffMs);
        break;
      case 'stopContainers':
        for (const { id } of decision.containers)
          this.#change(id, { state: 'exited', exitCode: 143, finishedAt: this.now });
        break;
      case 'stopSandbox':
        this.#sandboxes(this.observed.sandboxes.map((each) => ({ ...each, ready: false })));
        break;
      case 'expire':
        this.intent = { ...this.intent, stopBy: decision.stopBy };
        break;
      case 'wait':
      case 'ended':
      case 'destroy':
        break;
    }
  }

  exit(index: number, exitCode: number): void {
    const running = this.observed.containers.filter(({ state }) => state === 'running');
    const target = running[index % Math.max(running.length, 1)];
    if (target) this.#change(target.id, { state: 'exited', exitCode, finishedAt: this.now });
  }

  sandboxDies(): void {
    this.#sandboxes(this.observed.sandboxes.map((each) => ({ ...each, ready: false })));
    for (const { id, state } of this.observed.containers) {
      if (state === 'running') this.#change(id, { state: 'exited', exitCode: 137, finishedAt: this.now });
    }
  }

  #start(name: string, attempt: number, backoffMs: number): void {
    const ready = this.observed.sandboxes.find((each) => each.ready);
    expect(ready).toBeDefined();
    const mine = this.observed.containers.filter((each) => each.name === name);
    expect(mine.filter(({ state }) => state === 'running')).toEqual([]);
    expect(mine.map((each) => each.attempt)).not.toContain(attempt);
    if (this.plan.containers.includes(name)) this.#expectInitialised(ready?.id ?? '');
    this.starts.push(name);
    const started = container(name, { attempt, sandboxId: ready?.id ?? '', createdAt: this.now, backoffMs });
    this.observed = { ...this.observed, containers: [...this.observed.containers, started] };
  }

  #expectInitialised(sandboxId: string): void {
    const here = this.observed.containers.filter((each) => each.sandboxId === sandboxId);
    for (const name of this.plan.initContainers) {
      expect(here.some((each) => each.name === name && each.exitCode === 0)).toBe(true);
    }
  }

  #change(id: string, change: Partial<ObservedContainer>): void {
    const containers = this.observed.containers.map((each) => (each.id === id ? { ...each, ...change } : each));
    this.observed = { ...this.observed, containers };
  }

  #sandboxes(sandboxes: ObservedPod['sandboxes']): void {
    this.observed = { ...this.observed, sandboxes };
  }
}

const plans = fc.record({
  restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
  initContainers: fc.constantFrom<string[]>([], ['i'], ['i', 'j']),
  containers: fc.constantFrom<string[]>(['a'], ['a', 'b']),
  graceSeconds: fc.constant(1),
});

const happenings = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant({ kind: 'step' } as const) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('exit'), index: fc.nat(3), code: fc.constantFrom(0, 1) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'sandboxDies' } as const) },
    { weight: 1, arbitrary: fc.constant({ kind: 'stop' } as const) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('time'), ms: fc.nat(700_000) }) },
  ),
  { maxLength: 60 },
);

property.prop([plans, happenings])(
  'whatever happens, the rules hold, and a pod that is stopped comes to its end',
  (plan, history) => {
    const model = new Model(plan);
    for (const each of history) {
      if (each.kind === 'step') model.perform(model.decision);
      else if (each.kind === 'exit' && 'code' in each) model.exit(each.index, each.code);
      else if (each.kind === 'sandboxDies') model.sandboxDies();
      else if (each.kind === 'time' && 'ms' in each) model.now += each.ms;
      else if (each.kind === 'stop') model.intent = { ...model.intent, stopBy: model.now };
      expect(model.observed.sandboxes.filter(({ ready }) => ready).length).toBeLessThanOrEqual(1);
    }
    if (plan.restartPolicy === 'Never') {
      const mains = model.starts.filter((name) => plan.containers.includes(name));
      expect(new Set(mains).size).toBe(mains.length);
    }
    model.intent = { ...model.intent, stopBy: model.now };
    const before = model.starts.length;
    for (let step = 0; step < 5 && model.decision.step !== 'ended'; step++) model.perform(model.decision);
    expect(model.decision).toEqual({ step: 'ended' });
    expect(model.starts.length).toBe(before);
  },
);

property.prop([plans])('left alone, every pod comes to rest with all its containers started', (plan) => {
  const model = new Model(plan);
  for (let step = 0; step < 20 && model.decision.step !== 'wait'; step++) model.perform(model.decision);
  for (let step = 0; step < plan.initContainers.length; step++) {
    model.exit(0, 0);
    for (let more = 0; more < 20 && model.decision.step !== 'wait'; more++) model.perform(model.decision);
  }
  expect(model.starts).toEqual([...plan.initContainers, ...plan.containers]);
});
