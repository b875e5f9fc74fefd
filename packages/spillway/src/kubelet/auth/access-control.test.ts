import { describe, expect, test } from 'vitest';
import { FakeReviews } from '../testing/fakes.ts';
import { AccessControl } from './access-control.ts';
import { certificateUser } from './client-certificate.ts';

const alice = { name: 'alice', groups: ['system:authenticated'] };

function control(): { reviews: FakeReviews; clock: { now: number }; access: AccessControl } {
  const reviews = new FakeReviews();
  const clock = { now: 0 };
  reviews.tokens.set('good', alice);
  return { reviews, clock, access: new AccessControl({ reviews, now: () => clock.now }) };
}

function withToken(authorization: string | undefined): {
  certificateUser: undefined;
  authorization: string | undefined;
} {
  return { certificateUser: undefined, authorization };
}

function flood(access: AccessControl, count: number, address: string): Promise<unknown>[] {
  return Array.from({ length: count }, (_, i) =>
    access.authenticate({ ...withToken(`Bearer ${address}-${i}`), address }).catch((error: unknown) => error),
  );
}

describe('who sends a request', () => {
  test('is told by the certificate, and the token is not looked at then', async () => {
    const { access, reviews } = control();
    expect(await access.authenticate({ certificateUser: alice, authorization: 'Bearer x' })).toEqual(alice);
    expect(reviews.asked).toEqual([]);
  });

  test('is told by the token, once in two minutes', async () => {
    const { access, reviews, clock } = control();
    for (const now of [0, 119_999]) {
      clock.now = now;
      expect(await access.authenticate(withToken('Bearer good'))).toEqual(alice);
    }
    expect(reviews.asked).toEqual(['token good']);
    clock.now = 120_000;
    await access.authenticate(withToken('bearer good'));
    expect(reviews.asked).toEqual(['token good', 'token good']);
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic Zm9v',
    'Bearer a b',
    `Bearer ${'x'.repeat(40_000)}`,
    'Bearer bad',
  ])('is nobody with the header %j', async (authorization) => {
    const { access } = control();
    await expect(access.authenticate(withToken(authorization))).rejects.toMatchObject({
      status: 401,
      message: 'Unauthorized',
    });
  });

  test('is not known while the API server does not answer, and asked again at once', async () => {
    const { access, reviews } = control();
    reviews.failure = new Error('connection refused');
    await expect(access.authenticate(withToken('Bearer good'))).rejects.toMatchObject({
      status: 503,
      cause: reviews.failure,
    });
    reviews.failure = undefined;
    expect(await access.authenticate(withToken('Bearer good'))).toEqual(alice);
  });
});

describe('tokens that nobody issued', () => {
  test('do not hold up people who were let in before, also when their token has to be reviewed again', async () => {
    const { access, reviews, clock } = control();
    await access.authenticate(withToken('Bearer good'));
    await Promise.all(flood(access, 10_000, '10.0.0.6'));
    clock.now = 120_000;
    const review = reviews.tokenReview.bind(reviews);
    const hanging = Promise.withResolvers<undefined>();
    reviews.tokenReview = (token) => (token === 'good' ? review(token) : hanging.promise);
    const waiting = flood(access, 1000, '10.0.0.7');
    expect(await access.authenticate({ ...withToken('Bearer good'), address: '10.0.0.7' })).toEqual(alice);
    hanging.resolve(undefined);
    await Promise.all(waiting);
  });

  test('do not keep out who comes from elsewhere', async () => {
    const { access } = control();
    await Promise.all(flood(access, 1000, '10.0.0.7'));
    expect(await access.authenticate({ ...withToken('Bearer good'), address: '10.0.0.8' })).toEqual(alice);
  });

  test('from one address wait for no more than eight answers, and leave room for the others', async () => {
    const { access, reviews } = control();
    const hanging = Promise.withResolvers<undefined>();
    const review = reviews.tokenReview.bind(reviews);
    reviews.tokenReview = async (token) => {
      const answer = await review(token);
      return token === 'good' ? answer : hanging.promise;
    };
    const waiting = flood(access, 20, '10.0.0.7');
    expect(await access.authenticate({ ...withToken('Bearer good'), address: '10.0.0.8' })).toEqual(alice);
    expect(reviews.asked.length).toBeLessThanOrEqual(9);
    hanging.resolve(undefined);
    await Promise.all(waiting);
  });

  test('make few reviews, however many there are, and the others are told to come again', async () => {
    const { access, reviews, clock } = control();
    const answers = [];
    for (let second = 0; second < 15; second += 1) {
      clock.now = second * 1000;
      answers.push(...(await Promise.all(flood(access, 1000, `10.0.0.${second % 3}`))));
    }
    expect(reviews.asked.length).toBeLessThan(300);
    expect(answers).toContainEqual(expect.objectContaining({ status: 401 }));
    expect(answers).toContainEqual(expect.objectContaining({ status: 429, retryAfterSeconds: 1 }));
  });

  test('from a great many addresses make no more than 50 reviews a second', async () => {
    const { access, reviews, clock } = control();
    for (let second = 0; second < 10; second += 1) {
      clock.now = second * 1000;
      for (let host = 0; host < 500; host += 1) await Promise.all(flood(access, 1, `10.${second}.0.${host}`));
    }
    expect(reviews.asked.length).toBeLessThanOrEqual(100 + 9 * 50);
  });
});

describe('what a user may', () => {
  const pods = { verb: 'get', subresources: ['pods', 'proxy'] };

  test('is the narrow right or the wide one', async () => {
    const { access, reviews } = control();
    reviews.allowed.add('alice get pods');
    await expect(access.authorize(alice, pods)).resolves.toBeUndefined();
    expect(reviews.asked).toEqual(['alice get pods']);
    reviews.allowed.add('bob get proxy');
    await expect(access.authorize({ ...alice, name: 'bob' }, pods)).resolves.toBeUndefined();
  });

  test('is refused otherwise, with what would be needed', async () => {
    const { access } = control();
    await expect(access.authorize(alice, pods)).rejects.toMatchObject({
      status: 403,
      message: 'Forbidden (user=alice, verb=get, resource=nodes, subresource(s)=[pods proxy])',
    });
  });

  test('holds for five minutes when it is yes and for thirty seconds when it is no', async () => {
    const { access, reviews, clock } = control();
    const exec = { verb: 'create', subresources: ['proxy'] };
    await expect(access.authorize(alice, exec)).rejects.toMatchObject({ status: 403 });
    reviews.allowed.add('alice create proxy');
    clock.now = 29_999;
    await expect(access.authorize(alice, exec)).rejects.toMatchObject({ status: 403 });
    clock.now = 30_000;
    await access.authorize(alice, exec);
    reviews.allowed.clear();
    clock.now += 299_999;
    await access.authorize(alice, exec);
    clock.now += 1;
    await expect(access.authorize(alice, exec)).rejects.toMatchObject({ status: 403 });
  });

  test('is not mixed up between users, groups, verbs and subresources', async () => {
    const { access, reviews } = control();
    reviews.allowed.add('alice get proxy');
    const get = { verb: 'get', subresources: ['proxy'] };
    await access.authorize(alice, get);
    await access.authorize({ ...alice, groups: ['other'] }, get);
    await access.authorize({ ...alice, uid: '1' }, get);
    await access.authorize({ ...alice, extra: { scopes: ['x'] } }, get);
    expect(reviews.asked).toHaveLength(4);
    for (const [user, access2] of [
      [{ ...alice, name: 'bob' }, get],
      [alice, { ...get, verb: 'create' }],
      [alice, { ...get, subresources: ['stats'] }],
    ] as const) {
      await expect(access.authorize(user, access2)).rejects.toMatchObject({ status: 403 });
    }
  });

  test('is not assumed while the API server does not answer', async () => {
    const { access, reviews } = control();
    reviews.failure = new Error('connection refused');
    await expect(access.authorize(alice, pods)).rejects.toMatchObject({ status: 503, retryAfterSeconds: 1 });
  });
});

describe('the user of a certificate', () => {
  const validUntil = 1000;

  test('has the common name and the organisations as groups', () => {
    expect(certificateUser({ subject: { CN: 'alice', O: ['a', 'b'] }, validUntil }, 0)).toEqual({
      name: 'alice',
      groups: ['a', 'b', 'system:authenticated'],
    });
    expect(certificateUser({ subject: { CN: 'alice', O: 'a' }, validUntil }, 0)?.groups).toEqual([
      'a',
      'system:authenticated',
    ]);
    expect(certificateUser({ subject: { CN: 'alice' }, validUntil }, 0)?.groups).toEqual(['system:authenticated']);
  });

  test.each([
    ['without a common name', { subject: { O: 'a' }, validUntil }, 0],
    ['with an empty common name', { subject: { CN: '' }, validUntil }, 0],
    ['with two common names', { subject: { CN: ['alice', 'admin'] }, validUntil }, 0],
    ['that has expired since the handshake', { subject: { CN: 'alice' }, validUntil }, 1000],
    ['whose end cannot be read', { subject: { CN: 'alice' }, validUntil: Number.NaN }, 0],
  ])('%s is nobody', (_name, certificate, now) => {
    expect(certificateUser(certificate, now)).toBeUndefined();
  });
});
