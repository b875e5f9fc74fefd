import { describe, expect, test } from 'vitest';
import { resolveCriOptions } from './options.ts';

const base = { socket: '/run/containerd.sock', stateDir: '/var/lib/spillway' };

describe('the options of the cri backend', () => {
  test('are completed', () => {
    expect(resolveCriOptions({ ...base, socket: 'unix:///run/containerd.sock' })).toEqual({
      ...base,
      cgroupParent: '/spillway',
      maxParallelStarts: 8,
      pollIntervalMs: 1000,
      logMaxBytes: 10_485_760,
      logMaxFiles: 5,
      allowPrivileged: false,
    });
  });

  test.each([
    [{ maxParallelStarts: 0 }, 'maxParallelStarts is 0'],
    [{ pollIntervalMs: 1.5 }, 'pollIntervalMs is 1.5'],
    [{ cgroupParent: 'spillway' }, 'cgroupParent "spillway"'],
    [{ cgroupParent: '/../x y' }, 'cgroupParent'],
  ])('that make no sense are refused: %j', (options, message) => {
    expect(() => resolveCriOptions({ ...base, ...options })).toThrow(message);
  });
});
