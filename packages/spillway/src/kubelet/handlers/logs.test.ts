import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { BackendError } from '../../backends/backend.ts';
import { runningPod } from '../testing/fakes.ts';
import { TestKubelet } from '../testing/kubelet.ts';

const path = '/containerLogs/default/web/main';

async function start(options: Parameters<typeof TestKubelet.start>[0] = {}): Promise<TestKubelet> {
  const kubelet = await TestKubelet.start(options);
  kubelet.pods.known.push(runningPod());
  return kubelet;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe('the log of a container', () => {
  test('is what the backend writes, asked for by UID and with the options', async () => {
    const kubelet = await start();
    kubelet.backend.onLogs = async (_options, sink) => {
      await sink.write(Buffer.from('one\n'));
      await sink.write(Buffer.from('two\n'));
    };
    const query = 'tailLines=2&timestamps=true&limitBytes=100&stream=Stdout';
    const answer = await kubelet.admin(`${path}?${query}`);
    expect(answer).toMatchObject({
      status: 200,
      body: 'one\ntwo\n',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
    expect(kubelet.backend.called).toEqual([
      {
        ref: { uid: 'uid-of-web', namespace: 'default', name: 'web' },
        container: 'main',
        with: { follow: false, previous: false, timestamps: true, tailLines: 2, limitBytes: 100, stream: 'Stdout' },
      },
    ]);
  });

  test('of a placeholder says that nothing runs for it', async () => {
    const kubelet = await TestKubelet.start();
    kubelet.pods.known.push({ ...runningPod(), placeholder: 'nothing runs here' });
    expect(await kubelet.admin(path)).toMatchObject({ status: 200, body: 'nothing runs here\n' });
    expect(kubelet.backend.called).toEqual([]);
  });

  test('that is empty is an empty answer', async () => {
    const kubelet = await start();
    expect(await kubelet.admin(path)).toMatchObject({ status: 200, body: '' });
  });

  test('is followed line by line until the client goes away', async () => {
    const kubelet = await start();
    const lines = ['first\n', 'second\n'];
    const next = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let ended: unknown;
    kubelet.backend.onLogs = async (_options, sink, signal) => {
      for (const [index, line] of lines.entries()) {
        await sink.write(Buffer.from(line));
        await next[index]?.promise;
      }
      await once(signal, 'abort');
      ended = signal.reason;
    };
    const response = await kubelet.open(`${path}?follow=true`, { token: 'admin-token' });
    for (const [index, line] of lines.entries()) {
      expect(String((await once(response, 'data'))[0])).toBe(line);
      next[index]?.resolve();
    }
    response.destroy();
    await until(() => ended !== undefined);
    expect(String(ended)).toContain('the client closed the connection');
  });

  test('is not collected while the client does not read', async () => {
    const kubelet = await start();
    let written = 0;
    const chunk = Buffer.alloc(100_000, 'x');
    kubelet.backend.onLogs = async (_options, sink) => {
      for (; written < 1_000_000_000; written += chunk.length) await sink.write(chunk);
    };
    const response = await kubelet.open(path, { token: 'admin-token' });
    let seen = -1;
    for (let same = 0; same < 200; same += 1) {
      await new Promise(setImmediate);
      if (written !== seen) same = 0;
      seen = written;
    }
    expect(written).toBeLessThan(30_000_000);
    response.destroy();
  });

  test('that cannot be read at all is answered with the reason', async () => {
    const kubelet = await start();
    kubelet.backend.onLogs = () => Promise.reject(new BackendError('unavailable', 'containerd does not answer'));
    expect(await kubelet.admin(path)).toMatchObject({
      status: 503,
      body: 'the log of container "main" cannot be read: containerd does not answer\n',
    });
  });

  test('of a pod that has ended and whose instance is removed is answered with why, which kubectl shows', async () => {
    const kubelet = await TestKubelet.start();
    const terminated = { exitCode: 0, finishedAt: '2026-01-01T00:00:00Z' };
    const { pod, instance } = runningPod('web', { state: { terminated } });
    const status = { phase: 'Succeeded', containerStatuses: [...(instance?.containerStatuses ?? [])] };
    kubelet.pods.known.push({ pod: { ...pod, status } });
    kubelet.backend.onLogs = () => Promise.reject(new BackendError('notFound', 'no such pod'));
    const body =
      'the log of container "main" in pod "web" does not exist anymore: the pod has ended, and its instance was removed after keepEndedSeconds of the pool\n';
    expect(await kubelet.admin(path)).toMatchObject({ status: 400, body });
    expect(await kubelet.admin(`${path}?follow=true`)).toMatchObject({ status: 400, body });
  });

  test('that breaks off says so in its last line and is not a complete answer', async () => {
    const kubelet = await start();
    kubelet.backend.onLogs = async (_options, sink) => {
      await sink.write(Buffer.from('one\n'));
      throw new BackendError('internal', 'the disk is gone');
    };
    const response = await kubelet.open(path, { token: 'admin-token' });
    let body = '';
    await expect(
      (async () => {
        for await (const chunk of response) body += String(chunk);
      })(),
    ).rejects.toThrow('aborted');
    expect(body).toBe('one\n\nthe log of container "main" cannot be read: the disk is gone\n');
  });

  test.each([
    ['/containerLogs/default/web/other', 404, 'container "other" not found in pod "web"\n'],
    ['/containerLogs/default/nobody/main', 404, 'pod "nobody" does not exist\n'],
    ['/containerLogs/elsewhere/web/main', 404, 'pod "web" does not exist\n'],
    [`${path}?tailLines=-1`, 400, 'invalid log options: tailLines must be a whole number of at least 0, but is "-1"\n'],
    [`${path}?previous=true`, 400, 'previous terminated container "main" in pod "web" not found\n'],
  ])('%s is answered with %i', async (asked, status, body) => {
    const kubelet = await start();
    expect(await kubelet.admin(asked)).toMatchObject({ status, body });
  });

  test('that the backend does not have is answered with a sentence', async () => {
    const kubelet = await start();
    kubelet.backend.capabilities = { ...kubelet.backend.capabilities, logs: false };
    expect(await kubelet.admin(path)).toMatchObject({
      status: 501,
      body: 'the backend of this virtual node does not provide container logs\n',
    });
  });

  test('is refused when too many are served, until one of them ends', async () => {
    const kubelet = await start({ limits: { maxStreams: 1 } });
    kubelet.backend.onLogs = async (_options, sink, signal) => {
      await sink.write(Buffer.from('here\n'));
      await once(signal, 'abort');
    };
    const first = await kubelet.open(path, { token: 'admin-token' });
    expect(await kubelet.admin(path)).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    first.destroy();
    await until(() => kubelet.logger.lines.some(({ message }) => message.includes('request')));
    kubelet.backend.onLogs = () => Promise.resolve();
    let { status } = await kubelet.admin(path);
    while (status === 429) ({ status } = await kubelet.admin(path));
    expect(status).toBe(200);
  });

  test('ends when the server closes', async () => {
    const kubelet = await start();
    kubelet.backend.onLogs = async (_options, sink, signal) => {
      await sink.write(Buffer.from('here\n'));
      await once(signal, 'abort');
    };
    const response = await kubelet.open(`${path}?follow=true`, { token: 'admin-token' });
    response.resume();
    await Promise.all([once(response, 'end'), kubelet.server.close()]);
    expect(response.complete).toBe(true);
  });
});
