import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pod, silentLogger } from '@spillway/kube';
import { expect, onTestFinished, test } from 'vitest';
import { FakeService, sendJson } from '../cci/testing/fake-service.ts';
import type { KubernetesBackend } from './kubernetes-backend.ts';
import { makeKubernetesBackend } from './make-kubernetes.ts';
import { podMarks } from './pods/marks.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const ref = { namespace: 'shop', name: 'web', uid: '00000000-0000-4000-8000-000000000001' };
const there = { name: 'shop-web', namespace: 'burst', uid: 'there', ...podMarks(owner, ref) };
const { signal } = new AbortController();

/** Until the end of the test. */
async function backendOn(other: FakeService, beforeSend: () => void = () => {}): Promise<KubernetesBackend> {
  const folder = await mkdtemp(join(tmpdir(), 'other-'));
  const kubeconfig = join(folder, 'config');
  await writeFile(
    kubeconfig,
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
      clusters: [
        {
          name: 'k',
          cluster: { server: other.url, 'certificate-authority-data': Buffer.from(other.ca).toString('base64') },
        },
      ],
      users: [{ name: 'u', user: { token: 't' } }],
    }),
  );
  const options = { kubeconfig, namespace: 'burst', createNamespace: false };
  const backend = makeKubernetesBackend({ options, owner, beforeSend, logger: silentLogger });
  onTestFinished(async () => {
    await backend.close();
    other.close();
    await rm(folder, { recursive: true });
  });
  return backend;
}

test('a pod that was found is not deleted once another replica may lead', async () => {
  let leads = true;
  const other = await FakeService.start(({ method }, response) => {
    // While the answer is on its way.
    leads = false;
    sendJson(response, 200, method === 'GET' ? { metadata: {}, items: [{ metadata: there }] } : { metadata: there });
  });
  const backend = await backendOn(other, () => {
    if (!leads) throw new Error('the leadership was lost');
  });
  await expect(backend.stop(ref, { graceSeconds: 30 }, signal)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('the leadership was lost') as unknown,
  });
  expect(other.calls.map(({ method }) => method)).toEqual(['GET']);
});

test('what is known of a pod is not asked for again by each log and each command', async () => {
  const main = { name: 'main', image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } };
  const pod: Pod = { metadata: there, spec: { containers: [{ name: 'main' }] }, status: { containerStatuses: [main] } };
  const other = await FakeService.start(({ path }, response) => {
    const query = new URL(path, 'https://other').searchParams;
    if (query.has('sendInitialEvents')) return sendJson(response, 422, { kind: 'Status', code: 422 });
    if (query.has('watch')) return response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    if (path.includes('/log?')) return response.end('hello');
    const items = path.includes('/pods?') ? [pod] : [];
    return sendJson(response, 200, { metadata: { resourceVersion: '1' }, items });
  });
  const backend = await backendOn(other);
  await backend.prepare(signal);
  const watches = /\/pods\?(?!.*sendInitialEvents).*watch/;
  await expect.poll(() => other.calls.some(({ path }) => watches.test(path))).toBe(true);
  const before = other.calls.length;
  const log: string[] = [];
  const sink = { write: async (chunk: Uint8Array) => void log.push(Buffer.from(chunk).toString()) };
  const options = { follow: false, timestamps: false, previous: false, stream: 'All' } as const;
  await backend.logs(ref, 'main', options, sink, signal);
  expect(log).toEqual(['hello']);
  expect(other.calls.slice(before).filter(({ path }) => path.includes('/pods?'))).toEqual([]);
});

test('of two instances of one pod the one that does not run is ended, which is told once', async () => {
  const main = { name: 'main', image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } };
  const runs: Pod = {
    metadata: { ...there, name: 'runs', finalizers: ['spillway.dev/status-read'] },
    spec: { containers: [{ name: 'main' }] },
    status: { phase: 'Running', containerStatuses: [main] },
  };
  const second: Pod = {
    metadata: { ...runs.metadata, name: 'second', uid: 'there-2', resourceVersion: '7' },
    spec: { containers: [{ name: 'main' }], terminationGracePeriodSeconds: 20 },
    status: { phase: 'Pending' },
  };
  let pods = [second, runs];
  const other = await FakeService.start(({ method, path }, response) => {
    const isList = method === 'GET' && /\/pods\?/.test(path);
    sendJson(response, 200, isList ? { metadata: {}, items: pods } : { kind: 'Pod', metadata: {}, items: [] });
  });
  const backend = await backendOn(other);
  const watching = new AbortController();
  const told: string[] = [];
  const watch = (async () => {
    for await (const event of backend.watch(watching.signal)) if (event.type === 'double') told.push(event.message);
  })();
  const list = async (): Promise<void> => {
    expect((await backend.list(signal)).instances).toMatchObject([{ ref, state: 'running' }]);
  };
  const writes = (): object[] =>
    other.calls.flatMap(({ method, path, body }) => (method === 'GET' ? [] : [{ at: `${method} ${path}`, body }]));

  await list();
  await expect.poll(() => told).toHaveLength(1);
  expect(told[0]).toContain('runs is kept, second is being ended');
  pods = [{ ...second, metadata: { ...second.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }, runs];
  await list();
  const at = '/api/v1/namespaces/burst/pods/second';
  await expect.poll(writes).toHaveLength(3);
  expect(writes()).toMatchObject([
    { at: `DELETE ${at}`, body: { gracePeriodSeconds: 20, preconditions: { uid: 'there-2', resourceVersion: '7' } } },
    { at: `PATCH ${at}`, body: { metadata: { uid: 'there-2' } } },
    // Whoever began it may have died before.
    { at: `PATCH ${at}`, body: { metadata: { uid: 'there-2' } } },
  ]);
  watching.abort();
  await watch;
  expect(told).toHaveLength(1);
});
