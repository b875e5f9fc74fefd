import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { inClusterConfig } from './in-cluster.ts';

async function serviceAccount(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'serviceaccount-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

test('a pod is its service account, and follows the rotation of its token', async () => {
  const directory = await serviceAccount({ token: 'first\n', 'ca.crt': 'PEM', namespace: 'apps' });
  const config = await inClusterConfig({ directory, host: '10.96.0.1', port: '443' });
  expect(config).toMatchObject({ server: 'https://10.96.0.1:443', ca: 'PEM', namespace: 'apps' });
  expect((await config.credentials.current()).credentials).toEqual({ token: 'first' });
  await writeFile(join(directory, 'token'), 'second');
  config.credentials.invalidate?.(1);
  expect((await config.credentials.current()).credentials).toEqual({ token: 'second' });
});

test('addresses of version 6 are put in brackets, and without a host cluster DNS is asked', async () => {
  const directory = await serviceAccount({ token: 't', 'ca.crt': 'PEM', namespace: 'apps' });
  expect((await inClusterConfig({ directory, host: 'fd00::1' })).server).toBe('https://[fd00::1]:443');
  expect((await inClusterConfig({ directory })).server).toBe('https://kubernetes.default.svc:443');
});

test('outside a pod it says so', async () => {
  await expect(inClusterConfig({ directory: await serviceAccount({}) })).rejects.toThrow(
    /^no service account in .* \(token is missing\): not in a pod, .* Outside a cluster, specify a kubeconfig$/,
  );
});
