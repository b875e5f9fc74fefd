import { describe, expect, test } from 'vitest';
import type { Instance } from '../../backend.ts';
import { container, exited, pod } from '../../testing/observed-pods.ts';
import { loggedContainer, runningContainer } from './choose-container.ts';
import type { ObservedContainer } from './observed.ts';

const ref = { uid: 'u-1', namespace: 'shop', name: 'web-0' };

function podWith(
  state: NonNullable<Instance['containerStatuses'][number]['state']>,
  containers: readonly ObservedContainer[],
) {
  const status = { name: 'main', image: '', imageID: '', ready: false, restartCount: 0, state };
  const instance: Instance = {
    ref,
    state: 'running',
    podIPs: [],
    startTime: '',
    containerStatuses: [status],
    initContainerStatuses: [],
  };
  return { ref, instance, observed: pod(containers) };
}

const crashed = exited('main', 1, { attempt: 1 });
const again = container('main', { attempt: 2 });
const running = podWith({ running: {} }, [crashed, again]);
const crashing = podWith({ waiting: { reason: 'CrashLoopBackOff' } }, [exited('main', 1), crashed]);
const fresh = podWith({ waiting: { reason: 'ErrImagePull', message: 'no such image' } }, []);

describe('the log of a container', () => {
  test('is that of the attempt that runs, or ran last', () => {
    expect(loggedContainer(running, 'main', false)).toBe(again);
    expect(loggedContainer(crashing, 'main', false)).toBe(crashed);
  });

  test('of before is that of the last end: the same while the container waits to be restarted', () => {
    expect(loggedContainer(running, 'main', true)).toBe(crashed);
    expect(loggedContainer(crashing, 'main', true)).toBe(crashed);
  });

  test('that has none yet says what it waits for', () => {
    expect(() => loggedContainer(fresh, 'main', false)).toThrow(
      'container "main" in pod "web-0" is waiting to start: ErrImagePull: no such image',
    );
    expect(() => loggedContainer(fresh, 'main', true)).toThrow(
      'previous terminated container "main" in pod "web-0" not found',
    );
    expect(() => loggedContainer(fresh, 'other', false)).toThrow('container other not found in pod web-0_shop');
  });
});

test('a command runs in the attempt that runs, or not at all', () => {
  expect(runningContainer(running, 'main')).toBe(again);
  expect(() => runningContainer(crashing, 'main')).toThrow('is not running');
  expect(() => runningContainer(running, 'other')).toThrow('not found');
});
