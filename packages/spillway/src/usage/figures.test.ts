import { describe, expect, it } from 'vitest';
import type { ContainerUsage, InstanceUsage } from '../backends/backend.ts';
import { figuresAfter, noFigures, type NodeFigures, type Starts } from './figures.ts';

const secondMs = 1000;
const measured = (uid: string, at: number, containers: readonly ContainerUsage[], window = 15): InstanceUsage => ({
  uid,
  atMs: at * secondMs,
  windowMs: window * secondMs,
  containers,
});
const main = (cores: number, memoryBytes = 100): ContainerUsage => ({ name: 'main', cores, memoryBytes });
const started = (at: number, ...names: readonly string[]): Starts => {
  const starts = new Map((names.length > 0 ? names : ['main']).map((name) => [name, at * secondMs]));
  return () => starts;
};
const container = ({ pods }: NodeFigures, uid = 'a', name = 'main'): unknown => pods.get(uid)?.containers.get(name);

describe('figures of a container', () => {
  it('are what the backend measured, with its time, and a counter of CPU time', () => {
    const first = figuresAfter(noFigures, [measured('a', 100, [main(0.4)])], started(10));
    expect(container(first)).toEqual({
      startedAtMs: 10_000,
      atMs: 100_000,
      cpu: { cores: 0.4, seconds: 6 },
      memoryBytes: 100,
    });
    const second = figuresAfter(first, [measured('a', 115, [main(1, 200)])], started(10));
    expect(container(second)).toMatchObject({ atMs: 115_000, cpu: { cores: 1, seconds: 21 }, memoryBytes: 200 });
  });

  it('stay when the same measurement is told again', () => {
    const first = figuresAfter(noFigures, [measured('a', 100, [main(0.4)])], started(10));
    const again = figuresAfter(first, [measured('a', 100, [main(0.9, 7)])], started(10));
    expect(again.pods.get('a')).toBe(first.pods.get('a'));
    expect(again.total).toBe(first.total);
  });

  it('count from the start when the window begins before it', () => {
    const figures = figuresAfter(noFigures, [measured('a', 100, [main(1)], 60)], started(88));
    expect(container(figures)).toMatchObject({ cpu: { seconds: 12 } });
  });

  it('begin anew with another run, and a measurement from before it says nothing of it', () => {
    const first = figuresAfter(noFigures, [measured('a', 100, [main(1)])], started(10));
    expect(figuresAfter(first, [measured('a', 115, [main(1)])], started(116)).pods.has('a')).toBe(false);
    const next = figuresAfter(first, [measured('a', 130, [main(1)])], started(116));
    expect(container(next)).toMatchObject({ startedAtMs: 116_000, cpu: { seconds: 14 } });
  });

  it('are missing, and not zero, where the backend does not know them', () => {
    const known = [
      { name: 'main', memoryBytes: 100 },
      { name: 'sidecar', cores: 1 },
    ];
    const figures = figuresAfter(noFigures, [measured('a', 100, known)], started(10, 'main', 'sidecar'));
    expect(container(figures)).toEqual({ startedAtMs: 10_000, atMs: 100_000, memoryBytes: 100 });
    expect(container(figures, 'a', 'sidecar')).not.toHaveProperty('memoryBytes');
    expect(figures.pods.get('a')).toEqual({ atMs: 100_000, containers: expect.any(Map) });
  });

  it('are missing when the backend does not name it any more, or it is none of the pod’s', () => {
    const first = figuresAfter(noFigures, [measured('a', 100, [main(1)])], started(10));
    expect(figuresAfter(first, [], started(10))).toEqual({ pods: new Map(), total: undefined });
    const injected = measured('a', 100, [main(1), { name: 'injected', cores: 1, memoryBytes: 1 }]);
    const figures = figuresAfter(noFigures, [injected], started(10));
    expect([...(figures.pods.get('a')?.containers.keys() ?? [])]).toEqual(['main']);
    expect(figuresAfter(noFigures, [measured('b', 100, [main(1)])], () => undefined).pods.size).toBe(0);
  });
});

describe('figures of a pod and of the node', () => {
  it('are the sums of those below', () => {
    const two = [main(0.5, 100), { name: 'sidecar', cores: 0.25, memoryBytes: 50 }];
    const starts = started(10, 'main', 'sidecar');
    const first = figuresAfter(noFigures, [measured('a', 100, two), measured('b', 103, [main(1, 1000)])], starts);
    expect(first.pods.get('a')).toMatchObject({ cpu: { cores: 0.75 }, memoryBytes: 150 });
    expect(first.total).toMatchObject({ atMs: 103_000, cpu: { cores: 1.75 }, memoryBytes: 1150 });
    const second = figuresAfter(first, [measured('a', 115, two), measured('b', 118, [main(2, 1000)])], starts);
    const rate = ((second.total?.cpu?.seconds ?? 0) - (first.total?.cpu?.seconds ?? 0)) / 15;
    expect(rate).toBeCloseTo(2.75, 9);
  });

  it('never fall when pods go', () => {
    const first = figuresAfter(noFigures, [measured('a', 100, [main(5)]), measured('b', 100, [main(5)])], started(10));
    const second = figuresAfter(first, [measured('b', 115, [main(1)])], started(10));
    expect(second.total?.cpu?.cores).toBe(1);
    expect(second.total?.cpu?.seconds).toBe((first.total?.cpu?.seconds ?? 0) + 15);
  });

  it('go on when a container is started again', () => {
    const first = figuresAfter(noFigures, [measured('a', 100, [main(1)])], started(10));
    const second = figuresAfter(first, [measured('a', 115, [main(1)])], started(104));
    expect(second.pods.get('a')?.cpu?.seconds).toBe((first.pods.get('a')?.cpu?.seconds ?? 0) + 15);
  });
});
