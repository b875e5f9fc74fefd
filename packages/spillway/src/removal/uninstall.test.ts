import { setImmediate as othersTurn } from 'node:timers/promises';
import { type Clock, silentLogger } from '@spillway/kube';
import { expect, test } from 'vitest';
import { BackendError, type Dismantled, type Instance, type Listing } from '../backends/backend.ts';
import { SimulatedBackend } from '../backends/simulated/simulated-backend.ts';
import { SimulatedRegion } from '../backends/simulated/simulated-region.ts';
import { parseConfig } from '../config/load.ts';
import type { RemovalReport } from './report.ts';
import { uninstall } from './uninstall.ts';

const owner = { clusterId: 'cluster', nodeName: 'virtual' };
const config = parseConfig('pools: [{ name: cci, nodeName: virtual, backend: { type: simulated } }]', 'config.yaml');
const away = (): BackendError => new BackendError('unavailable', 'CCI did not answer');

/** Time passes when somebody waits. */
function hurriedClock(): Clock {
  let nowMs = 0;
  const sleep = async (ms: number): Promise<void> => {
    nowMs += ms;
    await othersTurn();
  };
  return { now: () => nowMs, sleep };
}

/** A backend whose calls fail when `fails` says so of their number, from 1. */
class ShakyBackend extends SimulatedBackend {
  fails: Partial<Record<'list' | 'dismantle' | 'prepare', (call: number) => boolean>> = {};
  instances: readonly Instance[] = [];
  readonly #calls = { list: 0, dismantle: 0, prepare: 0 };

  constructor() {
    super({ region: new SimulatedRegion({ options: {}, logger: silentLogger }), owner });
  }

  override async list(): Promise<Listing> {
    this.#call('list');
    return { complete: true, instances: this.instances };
  }

  override async dismantle(): Promise<Dismantled> {
    this.#call('dismantle');
    return { removed: [], remains: [], others: [] };
  }

  override async prepare(): Promise<void> {
    this.#call('prepare');
  }

  #call(name: 'list' | 'dismantle' | 'prepare'): void {
    this.#calls[name] += 1;
    if (this.fails[name]?.(this.#calls[name])) throw away();
  }
}

async function removal(backend: ShakyBackend, timeoutMs = 60_000): Promise<RemovalReport> {
  const [pool] = config.pools;
  if (pool === undefined) throw new Error('there is a pool');
  const pools = [{ config: pool, backend }];
  const asked = { graceSeconds: undefined, keepCrds: false, timeoutMs, tell: () => {} };
  const { signal } = new AbortController();
  return await uninstall(
    { ...asked, config, clusterId: 'cluster', pools, cluster: undefined, scope: undefined, clock: hurriedClock() },
    signal,
  );
}

test.each(['list', 'dismantle'] as const)(
  'a backend that fails at the last look (%s) is looked at again',
  async (call) => {
    const backend = new ShakyBackend();
    // The first call is that of the work.
    backend.fails = { [call]: (number: number) => number > 1 && number < 5 };
    expect((await removal(backend)).remains).toEqual([]);
  },
);

test('a backend that never answers the last look is reported', async () => {
  const backend = new ShakyBackend();
  backend.fails = { list: (number) => number > 1 };
  expect((await removal(backend)).remains).toMatchObject([
    { pool: 'cci', kind: 'Backend', why: expect.stringContaining('CCI did not answer') },
  ]);
});

test('a backend that cannot be prepared at first is prepared again, so that the end of instances is seen', async () => {
  const backend = new ShakyBackend();
  const ref = { uid: 'u1', namespace: 'shop', name: 'web' };
  const none = { podIPs: [], startTime: '', containerStatuses: [], initContainerStatuses: [] };
  backend.instances = [{ ref, state: 'running', ...none }];
  backend.fails = {
    prepare: (number) => {
      if (number < 4) return true;
      backend.instances = [];
      return false;
    },
  };
  expect(await removal(backend, 2000)).toMatchObject({ removed: [{ kind: 'Instance', name: 'web' }], remains: [] });
});
