import type { ContainerState, ContainerStatus } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { requireLog, requirePorts, requireRunning } from './container-state.ts';
import type { KnownPod } from '../pods/known-pods.ts';
import { testInstance } from '../pods/testing/objects.ts';
import { runningPod } from './testing/fakes.ts';

const running: ContainerState = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const terminated: ContainerState = { terminated: { exitCode: 3 } };
const waiting = (reason?: string): ContainerState => ({ waiting: reason === undefined ? {} : { reason } });

function pod(state: ContainerState, lastState: ContainerState = {}): KnownPod {
  return runningPod('web', { state, lastState });
}

describe('the log of a container', () => {
  test.each([
    ['runs', pod(running)],
    ['has terminated', pod(terminated)],
    ['waits to be restarted', pod(waiting('CrashLoopBackOff'), terminated)],
  ])('is there when it %s', (_state, known) => {
    expect(() => requireLog(known, 'main', false)).not.toThrow();
  });

  test.each([
    ['ContainerCreating', 'container "main" in pod "web" is waiting to start: ContainerCreating'],
    ['ErrImagePull', `container "main" in pod "web" is waiting to start: image can't be pulled`],
    ['ImagePullBackOff', 'container "main" in pod "web" is waiting to start: trying and failing to pull image'],
    [undefined, 'container "main" in pod "web" is waiting to start - no logs yet'],
  ])('is not there while it waits because of %s', (reason, message) => {
    expect(() => requireLog(pod(waiting(reason)), 'main', false)).toThrow(
      expect.objectContaining({ status: 400, message }),
    );
  });

  test('is there for the link agent, which is in no list of containers, if the pod has one', () => {
    const spec = { containers: [], initContainers: [{ name: 'spillway-link', image: 'agent' }] };
    const known = pod(running);
    const linked: KnownPod = { ...known, instance: { ...testInstance(known.pod), spec } };
    expect(() => requireLog(linked, 'spillway-link', false)).not.toThrow();
    expect(() => requireLog(known, 'spillway-link', false)).toThrow(expect.objectContaining({ status: 404 }));
  });

  test('before the last restart is there only after one', () => {
    expect(() => requireLog(pod(running, terminated), 'main', true)).not.toThrow();
    const message = 'previous terminated container "main" in pod "web" not found';
    expect(() => requireLog(pod(running), 'main', true)).toThrow(expect.objectContaining({ status: 400, message }));
  });

  test('of a container that the pod does not have is not found', () => {
    const message = 'container "other" not found in pod "web"';
    expect(() => requireLog(pod(running), 'other', false)).toThrow(expect.objectContaining({ status: 404, message }));
  });

  test('is not available while nothing is known of the container', () => {
    const { pod: bare } = runningPod();
    const message = 'container "main" in pod "web" is not available';
    expect(() => requireLog({ pod: bare }, 'main', false)).toThrow(expect.objectContaining({ status: 400, message }));
  });

  test('is judged by the pod’s status when the backend has nothing of it any more', () => {
    const { pod: bare } = runningPod();
    const status: ContainerStatus = {
      name: 'main',
      image: '',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: terminated,
    };
    const known = { pod: { ...bare, status: { containerStatuses: [status] } } };
    expect(() => requireLog(known, 'main', false)).not.toThrow();
  });

  test('is there for init containers as well', () => {
    const { pod: bare } = runningPod();
    const setup: ContainerStatus = {
      name: 'setup',
      image: '',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: terminated,
    };
    const spec = { containers: [], initContainers: [{ name: 'setup' }] };
    const known = { pod: { ...bare, spec, status: { initContainerStatuses: [setup] } } };
    expect(() => requireLog(known, 'setup', false)).not.toThrow();
  });
});

describe('a command', () => {
  test('runs in a container that runs', () => {
    expect(() => requireRunning(pod(running), 'main')).not.toThrow();
  });

  test.each([
    [pod(waiting('ContainerCreating')), 'container "main" in pod "web" is waiting to start: ContainerCreating'],
    [pod(waiting()), 'container "main" in pod "web" is waiting to start'],
    [pod(terminated), 'container "main" in pod "web" has terminated with exit code 3'],
    [pod({}), 'container "main" in pod "web" is waiting to start'],
    [{ pod: runningPod().pod }, 'container "main" in pod "web" is not available'],
  ])('does not run otherwise (%#)', (known, message) => {
    expect(() => requireRunning(known, 'main')).toThrow(expect.objectContaining({ status: 400, message }));
  });

  test('does not run in a container that the pod does not have', () => {
    const message = 'container not found ("other")';
    expect(() => requireRunning(pod(running), 'other')).toThrow(expect.objectContaining({ status: 404, message }));
  });
});

describe('the ports of a pod', () => {
  test('are there while something of it runs', () => {
    expect(() => requirePorts(pod(waiting('CrashLoopBackOff')))).not.toThrow();
  });

  test.each([
    ['was not created yet', {}],
    ['has no address yet', { instance: { podIPs: [] } }],
    ['has ended', { instance: { state: 'ended' } }],
  ])('are not there when the pod %s', (_state, { instance: differences }: { readonly instance?: object }) => {
    const { pod: bare, instance } = runningPod();
    const known = differences && instance ? { pod: bare, instance: { ...instance, ...differences } } : { pod: bare };
    const message = 'pod not found ("web_default")';
    expect(() => requirePorts(known)).toThrow(expect.objectContaining({ status: 404, message }));
  });
});
