import { type Binding, KubeClient, loadKubeconfig, pods, secrets } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Product } from '../testkit/product.ts';
import { shellPod, startProduct, waitReady } from '../testkit/product.ts';

describe('the generated RBAC', () => {
  let product: Product;
  let own: KubeClient;
  let agent: KubeClient;

  beforeAll(async () => {
    product = await startProduct('identities');
    const { kubectl, namespace, testbed } = product;
    const kubeconfig = await testbed.cluster.kubeconfigFor({
      serviceAccount: { namespace: 'spillway-system', name: 'spillway' },
    });
    own = new KubeClient({ config: await loadKubeconfig({ paths: [kubeconfig] }) });
    agent = own.impersonate({ user: `system:node:${testbed.nodeName}`, groups: ['system:nodes'] });
    await kubectl.apply(
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'referenced', namespace }, stringData: { a: 'b' } },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'foreign', namespace }, stringData: { a: 'b' } },
      {
        ...shellPod('mine', 'sleep 3600', {
          volumes: [{ name: 'secret', secret: { secretName: 'referenced' } }],
          containers: [
            {
              name: 'main',
              image: 'busybox',
              command: ['sleep', '3600'],
              volumeMounts: [{ name: 'secret', mountPath: '/s' }],
            },
          ],
        }),
        metadata: { name: 'mine', namespace },
      },
      {
        ...shellPod('local', 'sleep 3600'),
        metadata: { name: 'local', namespace },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image: 'busybox', imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] }],
        },
      },
    );
    await waitReady(kubectl, namespace, 'mine');
    await waitReady(kubectl, namespace, 'local');
  });

  afterAll(async () => {
    await agent?.close();
    await own?.close();
    await product?.[Symbol.asyncDispose]();
  });

  test('lets the node agent read a Secret that one of its pods references', async () => {
    const secret = await agent.resource(secrets).get({ namespace: product.namespace, name: 'referenced' });
    expect(secret.data).toEqual({ a: 'Yg==' });
  });

  test('refuses the node agent every other Secret, and lists of them', async () => {
    const { namespace } = product;
    await expect(agent.resource(secrets).get({ namespace, name: 'foreign' })).rejects.toMatchObject({
      kind: 'forbidden',
    });
    await expect(agent.resource(secrets).list({ namespace })).rejects.toMatchObject({ kind: 'forbidden' });
  });

  test("refuses the node agent another node's pod", async () => {
    const { namespace } = product;
    const ref = { namespace, name: 'local' };
    await expect(
      agent
        .resource(pods)
        .patch(ref, { type: 'strategic', body: { status: { phase: 'Failed' } } }, { subresource: 'status' }),
    ).rejects.toMatchObject({ kind: 'forbidden' });
    await expect(agent.resource(pods).delete(ref)).rejects.toMatchObject({ kind: 'forbidden' });
  });

  test('refuses the process itself what it never does to pods, those of its virtual nodes too', async () => {
    const { namespace } = product;
    const forbidden = { kind: 'forbidden' };
    const failed = { type: 'strategic', body: { status: { phase: 'Failed' } } } as const;
    for (const name of ['local', 'mine']) {
      const ref = { namespace, name };
      await expect(own.resource(pods).delete(ref)).rejects.toMatchObject(forbidden);
      await expect(own.resource(pods).patch(ref, failed, { subresource: 'status' })).rejects.toMatchObject(forbidden);
      const binding: Binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: ref,
        target: { apiVersion: 'v1', kind: 'Node', name: 'elsewhere' },
      };
      await expect(
        own.resource(pods).create<Binding>(binding, { subresource: 'binding', namespace, name }),
      ).rejects.toMatchObject(forbidden);
    }
  });

  test('refuses the process itself Secrets, tokens and other identities', async () => {
    const { namespace } = product;
    await expect(own.resource(secrets).get({ namespace, name: 'referenced' })).rejects.toMatchObject({
      kind: 'forbidden',
    });
    const admin = own.impersonate({ user: 'admin', groups: ['system:masters'] });
    await expect(admin.resource(pods).list({ namespace })).rejects.toMatchObject({ kind: 'forbidden' });
    const otherNode = own.impersonate({ user: 'system:node:somebody-else', groups: ['system:nodes'] });
    await expect(otherNode.resource(pods).list({ namespace })).rejects.toMatchObject({ kind: 'forbidden' });
    await Promise.all([admin.close(), otherNode.close()]);
  });
});
