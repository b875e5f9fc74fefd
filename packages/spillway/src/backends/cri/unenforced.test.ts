import { expect, test } from 'vitest';
import { makeWorkload } from '../testing/workloads.ts';
import { unenforced } from './unenforced.ts';

test('limits that nobody watches are named, each once', () => {
  const workload = makeWorkload({
    image: 'busybox',
    spec: {
      containers: [{ resources: { limits: { 'ephemeral-storage': '1Gi', memory: '1Gi' } } }, { name: 'free' }],
      volumes: [
        { name: 'disk', emptyDir: { sizeLimit: '1Gi' } },
        { name: 'memory', emptyDir: { sizeLimit: '1Gi', medium: 'Memory' } },
        { name: 'endless', emptyDir: {} },
      ],
    },
  });
  expect(unenforced(workload)).toEqual([
    {
      severity: 'Warning',
      reason: 'LimitNotEnforced',
      message: 'sizeLimit of volume "disk" is not enforced by this pool',
    },
    {
      severity: 'Warning',
      reason: 'LimitNotEnforced',
      message: 'ephemeral-storage limit of container "main" is not enforced by this pool',
    },
  ]);
});
