import type { ContainerStatus, PodSpec } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { podPhase } from './phase.ts';
import { exited, running, testPod, waiting } from '../testing/objects.ts';

interface Case {
  readonly about: string;
  readonly spec?: Partial<PodSpec>;
  readonly init?: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  readonly ended?: boolean;
  readonly phase: string;
}

const two = {
  containers: [
    { name: 'a', image: 'x' },
    { name: 'b', image: 'x' },
  ],
};
const never = { restartPolicy: 'Never' };
const onFailure = { restartPolicy: 'OnFailure' };
const withInit = { initContainers: [{ name: 'init', image: 'x' }] };
const withSidecar = { initContainers: [{ name: 'side', image: 'x', restartPolicy: 'Always' }] };
const crashed: ContainerStatus = { ...waiting('app', 'CrashLoopBackOff'), lastState: exited('app', 1).state! };
const crashedInit: ContainerStatus = { ...waiting('init', 'CrashLoopBackOff'), lastState: exited('init', 1).state! };

const cases: readonly Case[] = [
  { about: 'nothing known', main: [], phase: 'Pending' },
  { about: 'container waits', main: [waiting('app')], phase: 'Pending' },
  { about: 'container runs', main: [running('app')], phase: 'Running' },
  { about: 'one of two runs, the other waits', spec: two, main: [running('a'), waiting('b')], phase: 'Pending' },
  { about: 'one of two runs, the other is unknown', spec: two, main: [running('a')], phase: 'Pending' },
  {
    about: 'one of two runs, the other has failed',
    spec: { ...two, ...never },
    main: [running('a'), exited('b', 1)],
    phase: 'Running',
  },
  { about: 'ended well, Always', main: [exited('app')], phase: 'Running' },
  { about: 'ended well, Never', spec: never, main: [exited('app')], phase: 'Succeeded' },
  { about: 'ended well, OnFailure', spec: onFailure, main: [exited('app')], phase: 'Succeeded' },
  { about: 'failed, Never', spec: never, main: [exited('app', 3)], phase: 'Failed' },
  { about: 'failed, OnFailure: it will be tried again', spec: onFailure, main: [exited('app', 3)], phase: 'Running' },
  {
    about: 'one failed, one ended well, Never',
    spec: { ...two, ...never },
    main: [exited('a'), exited('b', 1)],
    phase: 'Failed',
  },
  { about: 'in crash back-off', main: [crashed], phase: 'Running' },
  { about: 'init container runs', spec: withInit, init: [running('init')], main: [waiting('app')], phase: 'Pending' },
  { about: 'init container done', spec: withInit, init: [exited('init')], main: [running('app')], phase: 'Running' },
  {
    about: 'init container failed, Always',
    spec: withInit,
    init: [exited('init', 1)],
    main: [waiting('app')],
    phase: 'Pending',
  },
  {
    about: 'init container in back-off',
    spec: withInit,
    init: [crashedInit],
    main: [waiting('app')],
    phase: 'Pending',
  },
  {
    about: 'init container failed, Never',
    spec: { ...withInit, ...never },
    init: [exited('init', 1)],
    main: [waiting('app')],
    phase: 'Failed',
  },
  {
    about: 'sidecar not started',
    spec: withSidecar,
    init: [{ ...running('side'), started: false }],
    main: [waiting('app')],
    phase: 'Pending',
  },
  {
    about: 'sidecar and container run',
    spec: withSidecar,
    init: [running('side')],
    main: [running('app')],
    phase: 'Running',
  },
  {
    about: 'sidecar restarts while the container runs',
    spec: withSidecar,
    init: [{ ...running('side'), started: false }],
    main: [running('app')],
    phase: 'Running',
  },
  {
    about: 'container done, sidecar still runs',
    spec: { ...withSidecar, ...never },
    init: [running('side')],
    main: [exited('app')],
    phase: 'Running',
  },
  { about: 'all over, ended well, Always (deleted)', main: [exited('app')], ended: true, phase: 'Succeeded' },
  { about: 'all over, killed', main: [exited('app', 137)], ended: true, phase: 'Failed' },
  { about: 'all over before it started', main: [waiting('app')], ended: true, phase: 'Failed' },
  {
    about: 'all over, one container never started',
    spec: two,
    main: [exited('a'), waiting('b')],
    ended: true,
    phase: 'Failed',
  },
  {
    about: 'all over with a failed sidecar',
    spec: withSidecar,
    init: [exited('side', 143)],
    main: [exited('app')],
    ended: true,
    phase: 'Succeeded',
  },
];

describe('the phase of a pod', () => {
  it.each(cases)('$about → $phase', ({ spec, init = [], main, ended = false, phase }) => {
    const pod = testPod(spec === undefined ? {} : { spec });
    expect(podPhase({ pod, initContainerStatuses: init, containerStatuses: main, ended })).toBe(phase);
  });
});
