import { type ApiError, KubeClient, type Logger, silentLogger } from '@spillway/kube';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BackendError } from '../../backend.ts';
import { toBackendError } from '../errors.ts';
import type { IamToken } from '../iam.ts';
import { FakeService, type SeenCall, sendJson } from '../testing/fake-service.ts';
import { Access, type ProbeAnswer } from './access.ts';
import type { Login } from './login.ts';
import { probeOnce } from './probe.ts';

const minute = 60_000;
const key = { kind: 'accessKey', accessKey: 'AKOLD', secretKey: 'planted-SECRET-1' } as const;
const newKey = { kind: 'accessKey', accessKey: 'AKNEW', secretKey: 'planted-SECRET-2' } as const;
const user = { kind: 'password', domainName: 'acme', userName: 'burst', password: 'planted-PASSWORD' } as const;

/** A gateway with a clock of its own that takes the keys and tokens in `good`. */
class World {
  now = Date.parse('2026-03-01T00:00:00Z');
  gatewayAheadMs = 0;
  login: Login = key;
  good = new Set(['AKOLD']);
  refusal: object = { error_code: 'APIGW.0301', error_msg: 'Incorrect IAM authentication information' };
  tokens = 0;
  tokenError: BackendError | undefined;
  readonly said: string[] = [];
  readonly access: Access;
  readonly client: KubeClient;
  readonly gateway: FakeService;

  static async open(login: Login = key): Promise<World> {
    const gateway = await FakeService.start((call, response) => {
      const date = new Date(world.now + world.gatewayAheadMs).toUTCString();
      const ok = world.#accepts(call);
      sendJson(response, ok ? 200 : 401, ok ? {} : world.refusal, { date });
    });
    const world = new World(gateway, login);
    onTestFinished(async () => {
      await world.client.close();
      gateway.close();
    });
    return world;
  }

  private constructor(gateway: FakeService, login: Login) {
    this.gateway = gateway;
    this.login = login;
    const clock = { now: () => this.now, sleep: () => Promise.resolve() };
    this.access = new Access({
      source: { about: '/etc/cci', read: () => Promise.resolve(this.login) },
      projectId: 'p1',
      token: () => this.#token(),
      probe: (sign, signal) => this.probe(sign, signal),
      signal: new AbortController().signal,
      clock,
      logger: this.#logger(),
    });
    this.client = new KubeClient({
      config: {
        server: gateway.url,
        ca: gateway.ca,
        insecureSkipTlsVerify: false,
        namespace: 'ns',
        source: '/etc/cci',
        credentials: this.access,
        sign: this.access.sign,
      },
      clock,
    });
  }

  probe(sign: Access['sign'], signal: AbortSignal): Promise<ProbeAnswer> {
    return probeOnce({ endpoint: this.gateway.url, path: '/probe', ca: this.gateway.ca }, sign, signal);
  }

  call(path = '/api/v1/namespaces/ns/pods'): Promise<unknown> {
    return this.client.request({ method: 'GET', path, timeoutMs: 10 * minute });
  }

  async failure(): Promise<ApiError> {
    return await this.call().then(
      () => Promise.reject(new Error('it was answered')),
      (error: ApiError) => error,
    );
  }

  /** Paths asked since the last look. */
  asked(): string[] {
    return this.gateway.calls.splice(0).map(({ path }) => path.replace('/api/v1/namespaces/ns/', ''));
  }

  #accepts({ headers }: SeenCall): boolean {
    const token = headers['x-auth-token'];
    if (token !== undefined) return this.good.has(String(token));
    const accessKey = /Access=(\w+)/.exec(headers.authorization ?? '')?.[1] ?? '';
    const [, y, mo, d, h, mi, s] = /(\d{4})(..)(..)T(..)(..)(..)Z/.exec(String(headers['x-sdk-date'])) ?? [];
    const dated = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
    const isInWindow = Math.abs(dated - this.now - this.gatewayAheadMs) <= 15 * minute;
    return this.good.has(accessKey) && isInWindow && headers['x-project-id'] === 'p1';
  }

  async #token(): Promise<IamToken> {
    if (this.tokenError !== undefined) throw this.tokenError;
    this.tokens += 1;
    return { token: `T${this.tokens}`, lifeMs: 24 * 60 * minute };
  }

  #logger(): Logger {
    const note = (fields: object, message: string): void => void this.said.push(`${message} ${JSON.stringify(fields)}`);
    return { ...silentLogger, warn: note, info: note };
  }
}

describe('an access key', () => {
  test('signs every call', async () => {
    const world = await World.open();
    await world.call();
    expect(world.gateway.calls[0]?.headers.authorization).toMatch(/^SDK-HMAC-SHA256 Access=AKOLD/);
  });

  test('that was rotated is read again by the first refusal, probed once, and the call is made', async () => {
    const world = await World.open();
    await world.call();
    world.login = newKey;
    world.good = new Set(['AKNEW']);
    await world.call();
    expect(world.asked()).toEqual(['/probe', 'pods', 'pods', '/probe', 'pods']);
  });

  test('that is refused stops all calls after one probe; they say so without asking', async () => {
    const world = await World.open();
    await world.call();
    world.asked();
    world.good.clear();
    expect(await world.failure()).toMatchObject({ kind: 'unauthorized' });
    expect(world.asked()).toEqual(['pods', '/probe']);
    const failures = await Promise.all(Array.from({ length: 20 }, () => world.failure()));
    expect(world.asked()).toEqual([]);
    expect(failures[0]?.message).toMatch(
      /^CCI refuses access key …KOLD, so Spillway makes no calls with it\. It probes again in 60 s, or as soon as \/etc\/cci has another one \(.*APIGW.0301/,
    );
  });

  test('that is refused for an hour is never refused more than five times in the five minutes of a lock', async () => {
    const world = await World.open();
    world.good.clear();
    const times: number[] = [];
    for (const end = world.now + 60 * minute; world.now < end; world.now += 5_000) {
      await world.failure();
      for (const _ of world.asked()) times.push(world.now);
    }
    for (const from of times) expect(times.filter((at) => at >= from && at < from + 5 * minute).length).toBeLessThan(5);
    world.good.add('AKOLD');
    world.now += 6 * minute;
    await world.call();
    expect(world.asked()).toEqual(['/probe', 'pods']);
  });

  test('that another takes the place of is used within seconds, also in a pause', async () => {
    const world = await World.open();
    world.good = new Set(['AKNEW']);
    await world.failure();
    world.asked();
    world.login = newKey;
    world.now += 11_000;
    await world.call();
    expect(world.asked()).toEqual(['/probe', 'pods']);
  });

  test('that nobody has tried is tried by one probe, however many calls wait for it', async () => {
    const world = await World.open();
    world.good.clear();
    await Promise.all(Array.from({ length: 32 }, () => world.failure()));
    expect(world.asked()).toEqual(['/probe']);
    world.login = newKey;
    world.now += 11_000;
    await Promise.all(Array.from({ length: 32 }, () => world.failure()));
    expect(world.asked()).toEqual(['/probe']);
  });

  test('many calls that are refused together lead to one probe', async () => {
    const world = await World.open();
    await world.call();
    world.asked();
    world.good.clear();
    await Promise.all(Array.from({ length: 10 }, () => world.failure()));
    expect(world.asked().filter((path) => path === '/probe')).toHaveLength(1);
  });

  test('works on a machine whose clock is wrong by hours: signatures are dated by the gateway', async () => {
    const world = await World.open();
    world.gatewayAheadMs = -3 * 60 * minute;
    await world.call();
    await world.call();
    expect(world.asked()).toEqual(['/probe', '/probe', 'pods', 'pods']);
    expect(world.access.skewMs / minute).toBeCloseTo(-180, 0);
    expect(world.said.join('\n')).toContain('the clock of this machine differs from that of CCI');
  });

  test('is not blamed for an account that has not authorized CCI, although that is a 401 too', async () => {
    const world = await World.open();
    world.refusal = { kind: 'Status', errorCode: 'CCI.01.401102', message: 'user has no agency to cci' };
    world.good.clear();
    expect(await world.failure()).toMatchObject({ message: expect.stringContaining('no agency') });
    expect(await world.failure()).toMatchObject({ message: expect.stringContaining('no agency') });
    expect(world.asked()).toEqual(['/probe', 'pods', 'pods']);
  });

  test('is not blamed for a gateway that is away', async () => {
    const world = await World.open();
    world.good.clear();
    let answers = 0;
    world.probe = () => {
      answers += 1;
      return Promise.resolve({ verdict: 'unreachable' });
    };
    await world.failure();
    world.good.add('AKOLD');
    world.now += 10_000;
    await world.failure();
    expect(answers).toBe(2);
  });
});

describe('a token', () => {
  test('is had once, sent with every call and renewed before it ends', async () => {
    const world = await World.open(user);
    world.good = new Set(['T1', 'T2']);
    await Promise.all([world.call(), world.call()]);
    expect(world.tokens).toBe(1);
    expect(world.gateway.calls[0]?.headers['x-auth-token']).toBe('T1');
    expect(world.access.userToken).toBe('T1');
    world.now += 20 * 60 * minute;
    await world.call();
    expect(world.gateway.calls.at(-1)?.headers['x-auth-token']).toBe('T2');
  });

  test('that IAM cannot renew stays in use until it ends', async () => {
    const world = await World.open(user);
    world.good = new Set(['T1']);
    await world.call();
    world.tokenError = new BackendError('unavailable', 'IAM is away');
    world.now += 23 * 60 * minute;
    await world.call();
    world.now += 2 * 60 * minute;
    expect(await world.failure()).toMatchObject({ status: 503, message: 'IAM is away' });
    expect(toBackendError(await world.failure())).toBe(world.tokenError);
    world.tokenError = undefined;
    world.good.add('T2');
    world.now += 10_000;
    await world.call();
  });

  test('that was revoked is replaced after one refusal', async () => {
    const world = await World.open(user);
    world.good = new Set(['T1']);
    await world.call();
    world.good = new Set(['T2']);
    await world.call();
    expect(world.asked()).toEqual(['/probe', 'pods', 'pods', '/probe', 'pods']);
  });

  test('is not asked for again and again with a wrong password', async () => {
    const world = await World.open(user);
    const remedy = 'Check account, user name and password';
    world.tokenError = new BackendError('unauthorized', 'IAM: wrong password', { remedy });
    let asked = 0;
    Object.defineProperty(world, 'tokenError', {
      get: () => {
        asked += 1;
        return new BackendError('unauthorized', 'IAM: wrong password', { remedy });
      },
    });
    expect((await world.failure()).message).toContain('wrong password');
    for (let i = 0; i < 20; i++) expect((await world.failure()).message).toContain(remedy);
    expect(asked).toBeLessThanOrEqual(4);
    expect(world.gateway.calls).toEqual([]);
  });
});

test('nothing that is logged or thrown contains a secret', async () => {
  for (const login of [key, user]) {
    const world = await World.open(login);
    world.good.clear();
    const error = await world.failure();
    const later = await world.failure();
    world.login = newKey;
    world.now += minute;
    const last = await world.failure();
    const all = [error, later, last].map((one) => `${one.message} ${JSON.stringify(one)} ${String(one.stack)}`);
    expect([...all, ...world.said].join('\n')).not.toContain('planted');
    expect(world.said.join('\n')).toContain('was replaced');
  }
});
