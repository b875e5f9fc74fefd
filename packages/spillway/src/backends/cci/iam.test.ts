import { describe, expect, onTestFinished, test } from 'vitest';
import { BackendError } from '../backend.ts';
import { Iam, type TokenLogin } from './iam.ts';
import { FakeService, sendJson } from './testing/fake-service.ts';

const secret = 'planted-PASSWORD-1';
const user = { kind: 'password', domainName: 'acme', userName: 'burst', password: secret } as const;
const key = { kind: 'accessKey', accessKey: 'AKPLANTED', secretKey: 'planted-SECRET-2' } as const;
const signal = new AbortController().signal;

async function setUp(answer: Parameters<typeof FakeService.start>[0]) {
  const service = await FakeService.start(answer);
  onTestFinished(() => service.close());
  const iam = new Iam({ endpoint: service.url, ca: service.ca, projectId: 'p1' });
  return { service, token: (login: TokenLogin) => iam.token(login, Date.parse('2026-01-01T00:00:00Z'), signal) };
}

const granted = { token: { issued_at: '2026-01-01T00:00:00.000000Z', expires_at: '2026-01-02T00:00:00.000000Z' } };

async function errorOf(promise: Promise<unknown>): Promise<BackendError> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  if (!(error instanceof BackendError)) throw new Error('it did not fail');
  return error;
}

describe('a token', () => {
  test('is had with account, user and password, for the project', async () => {
    const { service, token } = await setUp((_, response) =>
      sendJson(response, 201, granted, { 'x-subject-token': 'T1' }),
    );
    expect(await token(user)).toEqual({ token: 'T1', lifeMs: 24 * 3_600_000 });
    expect(service.calls).toMatchObject([
      {
        method: 'POST',
        path: '/v3/auth/tokens',
        body: {
          auth: {
            identity: {
              methods: ['password'],
              password: { user: { name: 'burst', password: secret, domain: { name: 'acme' } } },
            },
            scope: { project: { id: 'p1' } },
          },
        },
      },
    ]);
  });

  test('of an agency is had with a token of the user who takes it', async () => {
    const { service, token } = await setUp(({ headers }, response) =>
      sendJson(response, 201, granted, { 'x-subject-token': headers['x-auth-token'] === 'T1' ? 'T2' : 'T1' }),
    );
    const login = { kind: 'agency', agencyName: 'bursting', agencyDomainName: 'owner', by: user } as const;
    expect(await token(login)).toMatchObject({ token: 'T2' });
    expect(service.calls).toMatchObject([
      { body: { auth: { scope: { domain: { name: 'acme' } } } } },
      {
        body: {
          auth: {
            identity: {
              methods: ['assume_role'],
              assume_role: { agency_name: 'bursting', domain_name: 'owner' },
            },
            scope: { project: { id: 'p1' } },
          },
        },
      },
    ]);
  });

  test('of an agency is had with an access key, whose signature is dated by the gateway', async () => {
    const { service, token } = await setUp((_, response) =>
      sendJson(response, 201, granted, { 'x-subject-token': 'T' }),
    );
    await token({ kind: 'agency', agencyName: 'bursting', agencyDomainName: 'owner', by: key });
    expect(service.calls[0]?.headers).toMatchObject({
      'x-sdk-date': '20260101T000000Z',
      authorization: expect.stringMatching(
        /^SDK-HMAC-SHA256 Access=AKPLANTED, SignedHeaders=content-type;host;x-sdk-date, /,
      ),
    });
  });
});

describe('a refusal', () => {
  test.each([
    [401, 'unauthorized', 'The username or password is wrong.'],
    [403, 'unauthorized', 'You have no right to perform this action.'],
    [404, 'unauthorized', 'Could not find agency'],
    [429, 'throttled', 'slow down'],
    [503, 'unavailable', 'later'],
  ])('%i says who was refused and what to do, and no secret', async (status, kind, message) => {
    const { token } = await setUp((_, response) =>
      sendJson(response, status, { error: { code: status, message: `${message} (${secret}, planted-SECRET-2)` } }),
    );
    for (const by of [user, key]) {
      const login = { kind: 'agency', agencyName: 'bursting', agencyDomainName: 'owner', by } as const;
      const error = await errorOf(token(login));
      expect(error).toMatchObject({ kind, message: expect.stringContaining(message) });
      const all = `${error.message} ${error.remedy ?? ''} ${JSON.stringify(error)} ${String(error.cause)}`;
      expect(all.replaceAll(by === user ? 'planted-SECRET-2' : secret, '')).not.toMatch(/planted/);
      if (kind === 'unauthorized') expect(error.remedy).toBeTruthy();
    }
  });

  test('by something that is no IAM, or is not there, is no fault of the credential', async () => {
    const { token, service } = await setUp((_, response) => response.end('hello'));
    expect(await errorOf(token(user))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('without a token'),
    });
    service.close();
    expect(await errorOf(token(user))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('of our authority: the certificate is always verified', async () => {
    const { service } = await setUp((_, response) => sendJson(response, 201, granted));
    const iam = new Iam({ endpoint: service.url, projectId: 'p1' });
    const error = await errorOf(iam.token(user, 0, signal));
    expect(error).toMatchObject({ kind: 'unavailable', remedy: expect.stringContaining('certificate authority') });
    expect(service.calls).toEqual([]);
  });
});
