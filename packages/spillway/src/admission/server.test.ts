import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import { silentLogger } from '@spillway/kube';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { TestAuthority } from '../kubelet/testing/authority.ts';
import { parseJson } from '../placement/rules/admitted.ts';
import { type Authority, defaultLives } from '../authorities/rotation.ts';
import { issue, makeAuthority } from '../authorities/authority.ts';
import { forgiving } from './forgiving.ts';
import { mutate } from './mutate.ts';
import { AdmissionServer, type AdmissionServerOptions, type ServedReview } from './server.ts';

const now = Date.now();
const validity = { from: now, to: now + 3_600_000 };

let old: Authority;
let authority: Authority;
let server: AdmissionServer;
let port: number;
let served: ServedReview[];

beforeEach(async () => {
  old = { ...(await makeAuthority(validity)), ...validity };
  authority = { ...(await makeAuthority(validity)), ...validity };
  served = [];
  server = new AdmissionServer({
    answers: {
      mutate: forgiving((request) =>
        mutate(
          request,
          () => [],
          () => [],
        ),
      ),
      advise: ({ object }) => {
        if (object?.kind === 'Pod') throw new Error('a secret detail');
        return { allowed: true };
      },
    },
    logger: silentLogger,
    onRequest: (record) => served.push(record),
    deadlineMs: 300,
    maxBodyBytes: 200_000,
  });
  server.setTls(await issue(authority, ['localhost', '127.0.0.1'], validity));
  ({ port } = await server.listen(0));
});
afterEach(() => server.close());

interface Answer {
  readonly status: number;
  readonly text: string;
}

function call(path: string, body: string, method = 'POST', client: object = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // As during a rotation.
    const request = httpsRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      ca: [old.cert, authority.cert],
      agent: false,
      ...client,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.end(body);
  });
}

/** As an API server, which keeps its connections. */
class KeptAlive extends Agent {
  connections = 0;

  constructor() {
    super({ keepAlive: true });
  }

  override createConnection(...args: Parameters<Agent['createConnection']>): ReturnType<Agent['createConnection']> {
    this.connections += 1;
    return super.createConnection(...args);
  }
}

/** One more server, which `call` goes to from now on. */
async function serve(options: Partial<AdmissionServerOptions>): Promise<AdmissionServer> {
  const answers = { mutate: () => ({ allowed: true }), advise: () => ({ allowed: true }) };
  const more = new AdmissionServer({ answers, logger: silentLogger, deadlineMs: 10_000, ...options });
  more.setTls(await issue(authority, ['localhost', '127.0.0.1'], validity));
  ({ port } = await more.listen(0));
  return more;
}

const reviewOf = (object: unknown): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: '1', operation: 'CREATE', namespace: 'a', object },
  });
const review = (labels: Record<string, string>): string => reviewOf({ kind: 'Pod', metadata: { labels }, spec: {} });

const wrongPod = {
  kind: 'Pod',
  metadata: { labels: { 'virtual-kubelet.io/burst-to-cci': 'enforce' } },
  spec: { containers: [], tolerations: 'all' },
};
const deepToleration = `{"key":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
const deepPod = JSON.stringify({ ...wrongPod, spec: { containers: [], tolerations: ['DEEP'] } }).replace(
  '"DEEP"',
  deepToleration,
);

describe('the admission server', () => {
  it('answers with a patch, and with nothing for a pod that is not concerned', async () => {
    const { status, text } = await call(
      '/mutate?timeout=2s',
      review({ 'virtual-kubelet.io/burst-to-cci': 'localPrefer' }),
    );
    expect(status).toBe(200);
    const { response } = parseJson<{ response: { uid: string; allowed: boolean; patch: string } }>(text);
    expect(response).toMatchObject({ uid: '1', allowed: true });
    expect(JSON.parse(Buffer.from(response.patch, 'base64').toString())).toContainEqual({
      op: 'add',
      path: '/metadata/annotations/spillway.dev~1prefer-local',
      value: 'true',
    });
    expect(JSON.parse((await call('/mutate', review({}))).text)).toMatchObject({
      response: { uid: '1', allowed: true },
    });
    expect(served.map(({ endpoint, result }) => `${endpoint} ${result}`)).toEqual(['mutate changed', 'mutate allowed']);
  });

  it('refuses an unknown value with those that there are', async () => {
    const { text } = await call('/mutate', review({ 'virtual-kubelet.io/burst-to-cci': 'Äuto' }));
    expect(JSON.parse(text)).toMatchObject({
      response: {
        allowed: false,
        status: {
          message: expect.stringMatching(/"Äuto" is not a valid value .* auto, localPrefer, enforce, off/) as unknown,
        },
      },
    });
  });

  it.each([
    ['what is no JSON', '/mutate', 'garbage', 400],
    ['a review without a request', '/mutate', '{"apiVersion":"admission.k8s.io/v1"}', 400],
    ['a request for something that is no object', '/mutate', reviewOf(7), 400],
    ['a review that ends in the middle', '/mutate', reviewOf({ kind: 'Pod' }).slice(0, -9), 400],
    ['a list', '/mutate', '[]', 400],
    [
      'an operation that is no text',
      '/mutate',
      '{"apiVersion":"admission.k8s.io/v1","request":{"uid":"1","operation":7}}',
      400,
    ],
    ['a pod whose labels are no labels and whose tolerations are no list', '/mutate', reviewOf(wrongPod), 400],
    ['another path', '/elsewhere', '{}', 404],
    ['more than it may read', '/mutate', 'x'.repeat(300_000), 413],
  ])('refuses %s', async (_what, path, body, status) => {
    expect((await call(path, body)).status).toBe(status);
    expect(served).toMatchObject([{ result: 'malformed' }]);
  });

  it('patches a pod however deeply it is nested, because it writes nothing of it again', async () => {
    const { status } = await call('/mutate', reviewOf('DEEP').replace('"DEEP"', deepPod));
    expect(status).toBe(200);
    expect(served).toMatchObject([{ result: 'changed' }]);
  });

  it('refuses every method but POST', async () => {
    expect((await call('/mutate', '', 'GET')).status).toBe(405);
  });

  it('says nothing about its insides when it fails', async () => {
    expect(await call('/advise', review({}))).toEqual({
      status: 500,
      text: 'internal error, see the log of spillway\n',
    });
    expect(served).toMatchObject([{ endpoint: 'advise', result: 'failed' }]);
  });

  it('gives up a request that does not arrive in time', async () => {
    const socket = connect({ host: '127.0.0.1', port, ca: [authority.cert], servername: 'localhost' });
    socket.write('POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{');
    await new Promise((resolve) =>
      socket
        .once('close', resolve)
        .on('error', () => undefined)
        .resume(),
    );
    expect(served).toMatchObject([{ endpoint: 'mutate', result: 'malformed' }]);
  });

  it('holds no more bodies than there is room for, however many are sent', async () => {
    const large = reviewOf({ kind: 'Pod', spec: { containers: [], junk: 'x'.repeat(6_000_000) } });
    const roomy = await serve({});
    const sent = await Promise.allSettled(Array.from({ length: 20 }, () => call('/mutate', large)));
    const statuses = sent.map((each) => (each.status === 'fulfilled' ? each.value.status : 'closed'));
    // Room for two from one address, whose content is too large for a pod.
    expect(statuses.filter((each) => each === 413).length).toBeGreaterThan(0);
    expect(statuses.filter((each) => each === 503 || each === 'closed').length).toBeGreaterThan(10);
    expect(await call('/mutate', review({}))).toMatchObject({ status: 200 });
    await roomy.close();
  });

  it('answers for a large object when it is large by what others keep in it', async () => {
    const managedFields = [{ manager: 'kubectl', fieldsV1: { 'f:spec': 'x'.repeat(1_000_000) } }];
    const roomy = await serve({});
    const { status, text } = await call('/mutate', reviewOf({ kind: 'Pod', metadata: { managedFields }, spec: {} }));
    expect([status, JSON.parse(text)]).toMatchObject([200, { response: { uid: '1', allowed: true } }]);
    await roomy.close();
  });

  it('answers only who has a certificate of the authority that it was told to ask for', async () => {
    const clients = await TestAuthority.create('clients');
    const asking = await serve({ clientCa: clients.cert });
    await expect(call('/mutate', review({}))).rejects.toThrow();
    const stranger = await (await TestAuthority.create('others')).issue({ name: [{ CN: ['api-server'] }] });
    await expect(call('/mutate', review({}), 'POST', stranger)).rejects.toThrow();
    const known = await clients.issue({ name: [{ CN: ['api-server'] }] });
    expect(await call('/mutate', review({}), 'POST', known)).toMatchObject({ status: 200 });
    await asking.close();
  });

  it('answers on while it leaves, and with each answer ends a connection, so that the next request goes to another replica', async () => {
    const agent = new KeptAlive();
    onTestFinished(() => agent.destroy());
    await call('/mutate', review({}), 'POST', { agent });
    await call('/mutate', review({}), 'POST', { agent });
    expect(agent.connections).toBe(1);
    server.leave();
    for (const connections of [1, 2, 3]) {
      expect(await call('/mutate', review({}), 'POST', { agent })).toMatchObject({ status: 200 });
      expect(agent.connections).toBe(connections);
    }
  });

  it('has lives for its certificates that overlap', () => {
    expect(defaultLives.authorityMs).toBeGreaterThan(defaultLives.certificateMs + defaultLives.overlapMs);
  });
});
