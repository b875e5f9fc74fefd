import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { dialPortForward, type PortForwardClient } from '@spillway/streaming';
import { describe, expect, test } from 'vitest';
import { BackendError, type PortConnection, type PortForwarder } from '../../backends/backend.ts';
import { runningPod } from '../testing/fakes.ts';
import { TestKubelet } from '../testing/kubelet.ts';

const path = '/portForward/default/web';

class FakeForwarder implements PortForwarder {
  readonly end: AbortController = new AbortController();
  readonly ended: AbortSignal = this.end.signal;
  readonly #serve: (connection: PortConnection) => Promise<void> | void;

  constructor(serve: (connection: PortConnection) => Promise<void> | void = () => {}) {
    this.#serve = serve;
  }

  forward(connection: PortConnection): void {
    void this.#serve(connection);
  }

  async close(): Promise<void> {
    this.end.abort();
  }
}

async function start(forwarder: FakeForwarder = new FakeForwarder()): Promise<TestKubelet> {
  const kubelet = await TestKubelet.start();
  kubelet.pods.known.push(runningPod());
  kubelet.backend.onPortForward = async (signal) => {
    signal.addEventListener('abort', () => forwarder.end.abort(), { once: true });
    return forwarder;
  };
  return kubelet;
}

function dial(kubelet: TestKubelet, at: string = path): Promise<PortForwardClient> {
  const headers = { Authorization: 'Bearer admin-token' };
  return dialPortForward({ url: new URL(at, kubelet.url), connect: () => kubelet.connect(), headers });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe('port-forward', () => {
  test('reaches the ports of the pod, and says what is wrong with one of them', async () => {
    const forwarder = new FakeForwarder(async ({ port, readable, writable, finish }) => {
      if (port === 81) return finish('connection refused');
      writable.end(`${port} got ${await text(readable)}`);
      finish();
    });
    const kubelet = await start(forwarder);
    const client = await dial(kubelet);
    const [good, bad] = [await client.open(80), await client.open(81)];
    good.writable.end('input');
    expect(await text(good.readable)).toBe('80 got input');
    expect(await bad.failure).toBe('connection refused');
    await client.close();
    await until(() => forwarder.ended.aborted);
    expect(kubelet.backend.called).toMatchObject([{ ref: { uid: 'uid-of-web' }, with: 'portForward' }]);
  });

  test('ends for the client when the way to the pod is lost', async () => {
    const forwarder = new FakeForwarder();
    const client = await dial(await start(forwarder));
    await client.open(80);
    forwarder.end.abort();
    if (!client.ended.aborted) await once(client.ended, 'abort');
  });

  test('ends when the server closes', async () => {
    const forwarder = new FakeForwarder();
    const kubelet = await start(forwarder);
    const client = await dial(kubelet);
    await kubelet.server.close();
    if (!client.ended.aborted) await once(client.ended, 'abort');
    expect(forwarder.ended.aborted).toBe(true);
  });

  test.each([
    ['of an unknown pod', '/portForward/default/nobody', 404, 'pod "nobody" does not exist'],
    ['of a pod with another UID', `${path}/uid-of-another`, 404, 'pod "web" not found'],
  ])('%s is refused before the upgrade', async (_name, at, status, sentence) => {
    const kubelet = await start();
    await expect(dial(kubelet, at)).rejects.toMatchObject({ status, message: expect.stringContaining(sentence) });
    expect(kubelet.backend.called).toEqual([]);
  });

  test('of a pod of which nothing runs is refused in the kubelet’s words', async () => {
    const kubelet = await TestKubelet.start();
    kubelet.pods.known.push({ pod: runningPod().pod });
    const message = expect.stringContaining('pod not found ("web_default")');
    await expect(dial(kubelet)).rejects.toMatchObject({ status: 404, message });
  });

  test('says why there is no way to the pod', async () => {
    const kubelet = await start();
    kubelet.backend.onPortForward = () =>
      Promise.reject(new BackendError('unavailable', 'the cluster does not answer'));
    const message = expect.stringContaining('error forwarding ports: the cluster does not answer');
    await expect(dial(kubelet)).rejects.toMatchObject({ status: 503, message });
  });

  test('by a backend without it is refused with a sentence', async () => {
    const kubelet = await start();
    kubelet.backend.capabilities = { ...kubelet.backend.capabilities, portForward: false };
    const message = expect.stringContaining('the backend of this virtual node, fake://1, cannot forward ports');
    await expect(dial(kubelet)).rejects.toMatchObject({ status: 501, message });
  });
});
