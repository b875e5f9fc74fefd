import type { Container, ContainerStatus, Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { timesIn } from './container-runs.ts';
import { meteredPod } from './metered-pod.ts';
import { runsIn } from './simulated-runs.ts';

const at = (second: number): string => `2026-01-01T09:00:0${second}Z`;
const ms = (second: number): number => Date.parse(at(second));
const kept = (uid: string, containers: object): object => ({
  workload: JSON.stringify({ ref: { uid } }),
  record: { acceptedAt: 0, containers },
});
const container = (cpu: string, memory: string): Container => ({ name: 'c', resources: { limits: { cpu, memory } } });
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

describe('what a simulated node pretends to run', () => {
  it('is read from its file', () => {
    const state = bytes([
      kept('waits', {}),
      kept('runs', {
        init: { state: { terminated: { startedAt: at(1), finishedAt: at(2) } }, lastState: {} },
        main: { state: { running: { startedAt: at(3) } }, lastState: {} },
      }),
      kept('ended', { main: { state: { terminated: { startedAt: at(3), finishedAt: at(5) } }, lastState: {} } }),
      kept('crashes', {
        main: {
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { startedAt: at(3), finishedAt: at(4) } },
        },
      }),
    ]);
    expect(runsIn(state)).toEqual([
      { id: 'runs', startedMs: ms(1), finishedMs: undefined },
      { id: 'ended', startedMs: ms(3), finishedMs: ms(5) },
      { id: 'crashes', startedMs: ms(3), finishedMs: ms(4) },
    ]);
  });

  it('is nothing when the file says nothing', () => {
    expect(runsIn(Buffer.from('['))).toEqual([]);
  });
});

describe('the times of a container of containerd', () => {
  it('are nanoseconds, and 0 for never', () => {
    const status = { Version: 'v1', CreatedAt: 1, StartedAt: 1_767_258_001_500_000_000, FinishedAt: 0 };
    expect(timesIn(bytes(status))).toEqual({ startedMs: 1_767_258_001_500, finishedMs: undefined });
  });
});

describe('a pod of the region', () => {
  const pod: Pod = {
    metadata: {
      uid: 'region-1',
      namespace: 'cce-burst-1',
      name: 'shop-web',
      labels: { 'spillway.dev/pod-uid': 'u-1' },
    },
    spec: { containers: [container('250m', '1Gi'), container('0.25', '1Gi')] },
    status: { phase: 'Running' },
  };

  it('has the UID of the customer, and the size of its containers', () => {
    expect(meteredPod(pod)).toEqual({
      id: 'region-1',
      uid: 'u-1',
      namespace: 'cce-burst-1',
      name: 'shop-web',
      size: { vcpu: 0.5, gib: 2 },
      ended: false,
      finishedMs: undefined,
    });
  });

  it('of CCI 2.0 has the size that it shows', () => {
    const annotations = { 'resource.cci.io/size': '1.00_2.0' };
    expect(meteredPod({ ...pod, metadata: { ...pod.metadata, annotations } }).size).toEqual({
      vcpu: 1,
      gib: 2,
    });
  });

  it('has ended when it is being deleted, with its last container', () => {
    const metadata = { ...pod.metadata, labels: {}, deletionTimestamp: at(5) };
    const terminated = (second: number): ContainerStatus => ({
      name: 'c',
      image: 'busybox',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode: 0, finishedAt: at(second) } },
    });
    const status = { phase: 'Running', containerStatuses: [terminated(3), terminated(4)] };
    expect(meteredPod({ ...pod, metadata, status })).toMatchObject({
      uid: 'region-1',
      ended: true,
      finishedMs: ms(4),
    });
  });
});
