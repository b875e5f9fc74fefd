import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@spillway/kube';
import { expect, onTestFinished, test } from 'vitest';
import { FakeService, sendJson } from '../cci/testing/fake-service.ts';
import { makeKubernetesBackend } from './make-kubernetes.ts';
import { podMarks } from './pods/marks.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const ref = { namespace: 'shop', name: 'web', uid: '00000000-0000-4000-8000-000000000001' };
const there = { name: 'shop-web', namespace: 'burst', uid: 'there', ...podMarks(owner, ref) };

test('a pod that was found is not deleted once another replica may lead', async () => {
  let leads = true;
  const other = await FakeService.start(({ method }, response) => {
    // While the answer is on its way.
    leads = false;
    sendJson(response, 200, method === 'GET' ? { metadata: {}, items: [{ metadata: there }] } : { metadata: there });
  });
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
  const backend = makeKubernetesBackend({
    options: { kubeconfig, namespace: 'burst', createNamespace: false },
    owner,
    beforeSend: () => {
      if (!leads) throw new Error('the leadership was lost');
    },
    logger: silentLogger,
  });
  onTestFinished(async () => {
    await backend.close();
    other.close();
    await rm(folder, { recursive: true });
  });
  await expect(backend.stop(ref, { graceSeconds: 30 }, new AbortController().signal)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('the leadership was lost') as unknown,
  });
  expect(other.calls.map(({ method }) => method)).toEqual(['GET']);
});
