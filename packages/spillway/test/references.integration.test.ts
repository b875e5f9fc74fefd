import type { Pod } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../testkit/eventually.ts';
import type { Product } from '../testkit/product.ts';
import { shellPod, startProduct, waitReady } from '../testkit/product.ts';

const follower = (): Pod =>
  shellPod('follower', '', {
    containers: [
      {
        name: 'main',
        image: 'busybox',
        command: ['sleep', '3600'],
        env: [{ name: 'ONCE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'key' } } }],
        volumeMounts: [
          { name: 'settings', mountPath: '/settings' },
          { name: 'settings', mountPath: '/part', subPath: 'key' },
          { name: 'login', mountPath: '/login' },
        ],
      },
    ],
    volumes: [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'login', secret: { secretName: 'login' } },
    ],
  });

const optionalReader = (name: string): Pod =>
  shellPod(name, '', {
    containers: [
      {
        name: 'main',
        image: 'busybox',
        command: ['sleep', '3600'],
        env: [{ name: 'SECRET', valueFrom: { secretKeyRef: { name: 'perhaps', key: 'key', optional: true } } }],
        envFrom: [{ prefix: 'CONFIG_', configMapRef: { name: 'perhaps', optional: true } }],
        volumeMounts: [
          { name: 'config', mountPath: '/config' },
          { name: 'secret', mountPath: '/secret' },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: 'perhaps', optional: true } },
      { name: 'secret', secret: { secretName: 'perhaps', optional: true } },
    ],
  });

describe('what a pod refers to', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct('references');
  });
  afterAll(async () => product?.[Symbol.asyncDispose]());

  const apply = (kind: 'ConfigMap' | 'Secret', name: string, value: string): Promise<unknown> =>
    product.kubectl.apply({
      apiVersion: 'v1',
      kind,
      metadata: { name, namespace: product.namespace },
      ...(kind === 'ConfigMap' ? { data: { key: value } } : { stringData: { key: value } }),
    });
  const inPod = (pod: string, script: string): Promise<string> =>
    product.kubectl.run(['exec', '-n', product.namespace, pod, '--', 'sh', '-c', script]);
  const create = async (pod: Pod): Promise<void> => {
    await product.kubectl.apply({ ...pod, metadata: { ...pod.metadata, namespace: product.namespace } });
  };
  test('that is edited reaches its volumes while it runs; variables and parts of volumes keep what they have', async () => {
    await apply('ConfigMap', 'settings', 'old');
    await apply('Secret', 'login', 'old');
    await create(follower());
    const before = await waitReady(product.kubectl, product.namespace, 'follower');
    await apply('ConfigMap', 'settings', 'new');
    await apply('Secret', 'login', 'new');
    const editedMs = performance.now();
    const read = 'cat /settings/key /login/key /part; echo $ONCE';
    expect(
      await eventually('the edits to arrive', async () => {
        const text = await inPod('follower', read);
        return text.startsWith('newnew') && text;
      }),
    ).toBe('newnewoldold\n');
    expect(performance.now() - editedMs).toBeLessThan(60_000);

    // What was edited while nobody looked arrives, too, and the pod is the same.
    await product.testbed.stop('SIGKILL');
    await apply('Secret', 'login', 'newer');
    await product.testbed.start();
    await eventually('what was edited meanwhile', async () => (await inPod('follower', read)).startsWith('newnewer'));
    const after = await waitReady(product.kubectl, product.namespace, 'follower');
    expect(after.status?.containerStatuses?.[0]?.containerID).toBe(before.status?.containerStatuses?.[0]?.containerID);
  });

  test('is never left out because it is optional, by a process that has only just started', async () => {
    const { kubectl, namespace, testbed } = product;
    await apply('ConfigMap', 'perhaps', 'config');
    await apply('Secret', 'perhaps', 'secret');
    const read = 'echo $SECRET $CONFIG_key $(cat /secret/key) $(cat /config/key)';
    await create(optionalReader('before'));
    const before = await waitReady(kubectl, namespace, 'before');
    await testbed.stop('SIGKILL');
    await create(optionalReader('meanwhile'));
    await testbed.start();
    await create(optionalReader('afterwards'));
    for (const name of ['meanwhile', 'afterwards']) {
      await waitReady(kubectl, namespace, name);
      expect(await inPod(name, read)).toBe('secret config secret config\n');
    }
    // When the edit has arrived, the new process has read everything anew for the old pod, too.
    await apply('Secret', 'perhaps', 'edited');
    await eventually('the edit', async () => (await inPod('before', 'cat /secret/key')) === 'edited');
    expect(await inPod('before', read)).toBe('secret config edited config\n');
    const after = await waitReady(kubectl, namespace, 'before');
    expect(after.status?.containerStatuses?.[0]?.containerID).toBe(before.status?.containerStatuses?.[0]?.containerID);
  });

  test('and is missing is waited for, with the events that people wait for', async () => {
    const { kubectl, namespace } = product;
    await create(
      shellPod('waiting', '', {
        containers: [
          {
            name: 'main',
            image: 'busybox',
            command: ['sleep', '3600'],
            env: [{ name: 'LATE', valueFrom: { secretKeyRef: { name: 'late', key: 'key' } } }],
            envFrom: [{ configMapRef: { name: 'never', optional: true } }],
          },
        ],
      }),
    );
    const events = (): Promise<string> =>
      kubectl.run(['get', 'events', '-n', namespace, '--field-selector=involvedObject.name=waiting']);
    await eventually('the event for the Secret', async () => (await events()).includes('MandatorySecretNotFound'));
    await apply('Secret', 'late', 'here');
    await waitReady(kubectl, namespace, 'waiting');
    expect(await inPod('waiting', 'echo $LATE')).toBe('here\n');
    await eventually('the event for the ConfigMap', async () => (await events()).includes('OptionalConfigMapNotFound'));
  });

  test('is watched no longer than its pods are there', async () => {
    const { kubectl, namespace, testbed } = product;
    const watched = async (): Promise<number> => {
      const metrics = await kubectl.run(['get', '--raw', `/api/v1/nodes/${testbed.nodeName}/proxy/metrics`]);
      return Number(/references_watched\{[^}]*\} (\d+)/.exec(metrics)?.[1]);
    };
    expect(await watched()).toBeGreaterThan(0);
    await kubectl.run(['delete', 'pods', '--all', '-n', namespace, '--wait=true']);
    await eventually('the last watch to end', async () => (await watched()) === 0);
  });
});
