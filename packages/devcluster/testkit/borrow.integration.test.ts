import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { borrowCluster } from './borrow.ts';

// With a wish of their own, so that no other file has these control planes.
const wishes = { extraArgs: { 'kube-scheduler': ['--v=1'] } };

test('a control plane that was borrowed is as it was for the next, and two at once have different ones', async () => {
  const first = await borrowCluster(wishes);
  const second = await borrowCluster(wishes);
  expect(second.name).not.toBe(first.name);
  await second.close();

  const files = await readdir(first.dir);
  expect(await first.kubectl(['create', 'namespace', 'work'])).toMatchObject({ code: 0 });
  const held = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['example.com/never'] } };
  await first.kubectl(['apply', '-n', 'work', '-f', '-'], { input: JSON.stringify(held) });
  await first.kubeconfigFor({ user: 'somebody' });
  await first.component('kube-scheduler').stop();
  await first.close();

  const again = await borrowCluster(wishes);
  expect(again.name).toBe(first.name);
  expect((await again.kubectl(['get', 'namespaces', '-o', 'name'])).stdout).not.toContain('work');
  expect(await readdir(again.dir)).toEqual(files);
  expect((await again.status()).components.map(({ phase }) => phase)).not.toContain('stopped');
  await again.close();
});

test('who leaves a program running is told of it, and nobody gets that control plane', async () => {
  const cluster = await borrowCluster(wishes);
  const program = cluster.spawn('sleep', ['1000']);
  await once(program, 'spawn');
  await expect(cluster.close()).rejects.toThrow('sleep 1000');
  const next = await borrowCluster(wishes);
  expect(next.name).not.toBe(cluster.name);
  await next.close();
});
