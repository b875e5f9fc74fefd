import type { Pod } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../testkit/eventually.ts';
import type { Product } from '../testkit/product.ts';
import {
  nothingIsLeft,
  onVirtualNode,
  shellPod,
  startProduct,
  waitPhase,
  waitReady,
  waitRollout,
} from '../testkit/product.ts';
import { residue } from '../testkit/residue.ts';

describe('spillway serve is killed with -9 and started again', () => {
  let product: Product;
  beforeAll(async () => {
    product = await startProduct('restart');
  });
  afterAll(async () => product?.[Symbol.asyncDispose]());

  test('no container is restarted or created, and what happened meanwhile is reported', async () => {
    const { kubectl, namespace, testbed, there } = product;
    await kubectl.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'steady', namespace },
      spec: {
        replicas: 20,
        selector: { matchLabels: { app: 'steady' } },
        template: {
          metadata: { labels: { app: 'steady' } },
          spec: {
            ...onVirtualNode,
            terminationGracePeriodSeconds: 1,
            containers: [
              { name: 'main', image: 'busybox', imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] },
            ],
          },
        },
      },
    });
    await waitRollout(kubectl, namespace, 'steady');
    await kubectl.apply({
      ...shellPod('ends-meanwhile', 'until [ -e /tmp/end ]; do sleep 0.1; done; exit 5', { restartPolicy: 'Never' }),
      metadata: { name: 'ends-meanwhile', namespace },
    });
    const meanwhile = await waitReady(kubectl, namespace, 'ends-meanwhile');
    const steady = (): Promise<Pod[]> => kubectl.list<Pod>(['pods', '-n', namespace, '-l', 'app=steady']);
    const before = identities(await steady());
    expect(before).toHaveLength(20);
    const occupied = await residue(there);

    // The container sees the end of its wait 2 s from now, when nobody watches.
    await kubectl.run([
      'exec',
      '-n',
      namespace,
      'ends-meanwhile',
      '--',
      'sh',
      '-c',
      '(sleep 2; touch /tmp/end) >/dev/null 2>&1 &',
    ]);
    await testbed.stop('SIGKILL');
    await eventually('the container to have ended', async () => (await residue(there)).runningTasks.length === 20);
    await testbed.start();

    const failed = await waitPhase(kubectl, namespace, 'ends-meanwhile', 'Failed');
    expect(failed.metadata?.uid).toBe(meanwhile.metadata?.uid);
    expect(failed.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(5);
    expect(identities(await steady())).toEqual(before);
    // The one that ended was not run again either.
    expect((await residue(there)).containers.toSorted()).toEqual(occupied.containers.toSorted());
    expect((await residue(there)).runningTasks).toHaveLength(20);
  });

  test('a graceful stop ends with code 0 and leaves containers running', async () => {
    const { kubectl, namespace, testbed, there } = product;
    const running = (await residue(there)).runningTasks.toSorted();
    expect(await testbed.stop('SIGTERM')).toBe(0);
    expect((await residue(there)).runningTasks.toSorted()).toEqual(running);
    await testbed.start();
    await waitRollout(kubectl, namespace, 'steady');
    expect((await residue(there)).runningTasks.toSorted()).toEqual(running);
  });

  test('pods that were deleted while it was away are stopped, and nothing of them is left', async () => {
    const { kubectl, namespace, testbed, there } = product;
    await testbed.stop('SIGKILL');
    await kubectl.run(['delete', 'deployment', 'steady', '-n', namespace, '--cascade=foreground', '--wait=false']);
    await kubectl.run(['delete', 'pod', 'ends-meanwhile', '-n', namespace, '--force', '--grace-period=0']);
    await testbed.start();
    await nothingIsLeft(there);
    // A pod goes after its instance.
    await eventually('no pod to be left', async () => {
      return (await kubectl.list<Pod>(['pods', '-n', namespace])).length === 0;
    });
  });
});

/** What would be different if a container had been started anew. */
function identities(pods: readonly Pod[]): (readonly [string | undefined, string | undefined, number | undefined])[] {
  return pods
    .map((pod) => {
      const status = pod.status?.containerStatuses?.[0];
      return [pod.metadata?.uid, status?.containerID, status?.restartCount] as const;
    })
    .toSorted((a, b) => String(a[0]).localeCompare(String(b[0])));
}
