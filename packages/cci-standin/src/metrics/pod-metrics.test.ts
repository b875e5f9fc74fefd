import type { Pod } from '@spillway/kube';
import { expect, test } from 'vitest';
import { podMetrics } from './pod-metrics.ts';

const pod = (name: string): Pod => ({
  metadata: { name, namespace: 'burst', uid: `uid-${name}`, labels: { app: name } },
});

const container = (name: string, time: string, usageNanoCores: number, workingSetBytes: number): object => ({
  name,
  cpu: { time, usageNanoCores, usageCoreNanoSeconds: 1 },
  memory: { time, workingSetBytes },
});

const summaryOf = (containers: Readonly<Record<string, readonly object[]>>): object => ({
  node: {},
  pods: Object.entries(containers).map(([name, list]) => ({ podRef: { uid: `uid-${name}` }, containers: list })),
});

test('a pod uses what its kubelet measured, container by container, at the time of the oldest measurement', () => {
  const summary = summaryOf({
    web: [
      container('app', '2026-03-01T12:00:07.4Z', 123_456_789, 10 * 1024),
      container('sidecar', '2026-03-01T12:00:03.9Z', 0, 2047),
    ],
    other: [container('app', '2026-03-01T12:00:07Z', 1, 1024)],
  });
  expect(podMetrics(summary, [pod('web')])).toEqual([
    {
      metadata: {
        name: 'web',
        namespace: 'burst',
        labels: { app: 'web' },
        creationTimestamp: '2026-03-01T12:00:03Z',
      },
      timestamp: '2026-03-01T12:00:03Z',
      window: '10s',
      containers: [
        { name: 'app', usage: { cpu: '123456789n', memory: '10Ki' } },
        { name: 'sidecar', usage: { cpu: '0n', memory: '1Ki' } },
      ],
    },
  ]);
});

test('what was not measured is missing', () => {
  const summary = summaryOf({ web: [{ name: 'app', cpu: { time: '2026-03-01T12:00:07Z' } }], job: [] });
  expect(podMetrics(summary, [pod('web'), pod('job'), pod('new')])).toEqual([]);
  expect(podMetrics({}, [pod('web')])).toEqual([]);
});
