import type { Clock } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import type { InstanceUsage } from '../../backends/backend.ts';
import type { KnownPod } from '../../pods/known-pods.ts';
import { UsageSampler } from '../../usage/usage-sampler.ts';
import { runningPod } from '../testing/fakes.ts';
import { MetricsServer } from '../testing/metrics-server.ts';
import { exposition } from './exposition.ts';
import { measuredPods } from './measured-pods.ts';
import { resourceMetrics } from './resource-metrics.ts';

const beginMs = Date.parse('2026-03-01T12:00:00Z');
/** In whole seconds, as the metrics API writes times. */
const measuredEveryMs = 15_000;

/** A container under load, a backend that measures it, Spillway, and a metrics-server that scrapes it every 15 s or so. */
class World {
  nowMs = beginMs;
  restartedMs = beginMs;
  calls = 0;
  readonly metricsServer: MetricsServer = new MetricsServer({ resolutionMs: 15_000 });
  #sampler: UsageSampler = this.#newProcess();

  get #pod(): KnownPod {
    return runningPod('web', { state: { running: { startedAt: new Date(this.restartedMs).toISOString() } } });
  }

  /** What the container really uses. */
  cores(atMs: number): number {
    return 0.5 + 0.4 * Math.sin((atMs - beginMs) / 300_000);
  }

  newProcess(): void {
    this.#sampler = this.#newProcess();
  }

  /** Whoever it is. */
  async scrape(): Promise<string> {
    const known = await this.#sampler.figures();
    const pieces = exposition(resourceMetrics(measuredPods([this.#pod], known), known));
    return (await Array.fromAsync(pieces)).join('');
  }

  async metricsServerScrapes(): Promise<number | undefined> {
    this.metricsServer.scrape(await this.scrape());
    return this.metricsServer.pod('default', 'web')?.get('main')?.cores;
  }

  /** Metrics-server asks after half a second more or less, and Prometheus in between. */
  async *minutes(minutes: number): AsyncGenerator<number | undefined> {
    for (let turn = 0; turn < minutes * 4; turn++) {
      this.nowMs += 8_000 + ((turn * 317) % 500);
      if (turn % 2 === 0) await this.scrape();
      this.nowMs += 15_000 - 8_000 - ((turn * 131) % 500);
      yield await this.metricsServerScrapes();
    }
  }

  #newProcess(): UsageSampler {
    const clock: Clock = { now: () => this.nowMs, sleep: () => Promise.reject(new Error('nobody waits')) };
    return new UsageSampler({
      backend: { usage: () => this.#usage() },
      instances: () => (this.#pod.instance ? [this.#pod.instance] : []),
      intervalMs: 10_000,
      clock,
      onChange: () => {},
      observer: { usageAsked: () => {} },
    });
  }

  async #usage(): Promise<readonly InstanceUsage[]> {
    this.calls += 1;
    const atMs = Math.floor(this.nowMs / measuredEveryMs) * measuredEveryMs;
    if (atMs <= this.restartedMs) return [];
    const cores = this.cores(atMs - measuredEveryMs / 2);
    const containers = [{ name: 'main', cores, memoryBytes: 1024 }];
    return [{ uid: 'uid-of-web', atMs, windowMs: measuredEveryMs, containers }];
  }
}

/** Its rate is of the last half minute, more or less. */
function isTrue(world: World, cores: number): void {
  const truth = world.cores(world.nowMs - 22_000);
  expect(Math.abs(cores - truth) / truth).toBeLessThan(0.1);
}

describe('metrics-server', () => {
  test('has the figures of the backend, although they are cached and asked for by others, too', async () => {
    const world = new World();
    let known = 0;
    for await (const cores of world.minutes(30)) {
      if (cores === undefined) continue;
      known += 1;
      isTrue(world, cores);
    }
    expect(known).toBeGreaterThan(115);
    expect(world.calls).toBeLessThanOrEqual(30 * 6);
  });

  test('has them again soon after a container was started anew, and not those of its former run', async () => {
    const world = new World();
    for await (const _ of world.minutes(5));
    world.restartedMs = world.nowMs - 1000;
    const after: (number | undefined)[] = [];
    for await (const cores of world.minutes(2)) {
      after.push(cores);
      if (cores !== undefined) isTrue(world, cores);
    }
    expect(after.slice(-5)).not.toContain(undefined);
  });

  test('sees no surge when Spillway is started anew', async () => {
    const world = new World();
    for await (const _ of world.minutes(10));
    for (let restart = 0; restart < 5; restart++) {
      world.newProcess();
      const after: (number | undefined)[] = [];
      for await (const cores of world.minutes(1)) {
        after.push(cores);
        expect(cores ?? 0).toBeLessThan(world.cores(world.nowMs) * 1.2);
      }
      expect(after.at(-1)).toBeDefined();
    }
  });

  test('knows nothing of a pod of which a container was not measured', async () => {
    const world = new World();
    for await (const _ of world.minutes(2));
    expect(world.metricsServer.pod('default', 'web')).toBeDefined();
    const text = await world.scrape();
    world.metricsServer.scrape(
      `${text}container_start_time_seconds{container="late",pod="web",namespace="default"} 1\n`,
    );
    expect(world.metricsServer.pod('default', 'web')).toBeUndefined();
  });
});
