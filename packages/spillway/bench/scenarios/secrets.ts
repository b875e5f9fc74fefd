import { randomBytes } from 'node:crypto';
import { type KubeClient, namespaces, type Secret, secrets as secretType } from '@spillway/kube';
import { inParallel } from './burst.ts';
import { lifecycle, measureLifecycle } from './lifecycle.ts';
import type { Scenario, Turn } from './scenario.ts';

const count = 5000;
const bytes = 4096;
const elsewhere = 'bench-secrets';

/** The work of `lifecycle`, in a cluster with Secrets of other people. */
export const secrets: Scenario = {
  ...lifecycle,
  name: 'secrets',
  about: `as lifecycle, next to ${count.toLocaleString('en')} unrelated Secrets of ${bytes / 1024} KiB`,
  pods: [1000],
  measure: async (turn) => {
    await makeSecrets(turn);
    return await measureLifecycle(turn);
  },
};

async function makeSecrets({ client, signal }: Pick<Turn, 'client' | 'signal'>): Promise<void> {
  if (await exists(client, signal)) return;
  await client.resource(namespaces).create({ metadata: { name: elsewhere } }, { signal });
  const content = { data: randomBytes(bytes).toString('base64') };
  const names = Array.from({ length: count }, (_, index) => `secret-${index}`);
  await inParallel(names, signal, (name) =>
    client.resource(secretType).create<Secret>({ metadata: { namespace: elsewhere, name }, data: content }, { signal }),
  );
}

async function exists(client: KubeClient, signal: AbortSignal): Promise<boolean> {
  const { items } = await client.resource(namespaces).list({ fieldSelector: `metadata.name=${elsewhere}`, signal });
  return items.length > 0;
}
