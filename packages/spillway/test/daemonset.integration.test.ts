import type { DaemonSet, EndpointSlice, Pod } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../testkit/eventually.ts';
import { isReady, type Product, startProduct } from '../testkit/product.ts';

let product: Product;
let namespace: string;

beforeAll(async () => {
  product = await startProduct('daemonset');
  ({ namespace } = product);
});
afterAll(async () => product?.[Symbol.asyncDispose]());

describe.each([false, true])(
  'a DaemonSet that tolerates everything, behind a Service (hostNetwork: %s)',
  (hostNetwork) => {
    const name = hostNetwork ? 'agent-host' : 'agent';
    const labels = { app: name };

    beforeAll(async () => {
      const container = {
        name: 'main',
        image: 'busybox',
        imagePullPolicy: 'IfNotPresent',
        command: ['sh', '-c', 'sleep 10000'],
        ports: [{ containerPort: hostNetwork ? 18_080 : 8080 }],
      };
      await product.kubectl.apply(
        {
          apiVersion: 'apps/v1',
          kind: 'DaemonSet',
          metadata: { name, namespace },
          spec: {
            selector: { matchLabels: labels },
            template: {
              metadata: { labels },
              spec: {
                hostNetwork,
                tolerations: [{ operator: 'Exists' }],
                terminationGracePeriodSeconds: 1,
                containers: [container],
              },
            },
          },
        },
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name, namespace },
          spec: { selector: labels, ports: [{ port: 80, targetPort: container.ports[0]?.containerPort }] },
        },
      );
    });

    const placeholder = async (): Promise<Pod> => {
      const list = await product.kubectl.list<Pod>(['pods', '-n', namespace, '-l', `app=${name}`]);
      const found = list.find(({ spec }) => spec?.nodeName === product.testbed.nodeName);
      if (found === undefined) throw new Error('there is no pod on the virtual node');
      return found;
    };

    test('its rollout finishes', async () => {
      await product.kubectl.run(['rollout', 'status', `daemonset/${name}`, '-n', namespace, '--timeout=120s']);
      const { status } = await product.kubectl.get<DaemonSet>(['daemonset', name, '-n', namespace]);
      expect(status).toMatchObject({ desiredNumberScheduled: 2, numberReady: 2 });
      expect(status).not.toHaveProperty('numberUnavailable');
    });

    test('the pod on the virtual node is a placeholder, and says so', async () => {
      const pod = await placeholder();
      expect(isReady(pod)).toBe(true);
      expect(pod.metadata?.annotations?.['spillway.dev/placeholder']).toBe('true');
      for (const address of ['podIP', 'podIPs', 'hostIP', 'hostIPs']) expect(pod.status).not.toHaveProperty(address);
      const sentence = 'nothing runs for it on a virtual node';
      expect(await product.kubectl.run(['logs', '-n', namespace, pod.metadata?.name ?? ''])).toContain(sentence);
      const command = await product.kubectl.try(['exec', '-n', namespace, pod.metadata?.name ?? '', '--', 'true']);
      expect([command.code, command.stderr]).toEqual([1, expect.stringContaining(sentence)]);
      const events = await eventually('its event', async () => {
        const text = await product.kubectl.run(['describe', 'pod', '-n', namespace, pod.metadata?.name ?? '']);
        return text.includes('Placeholder') && text;
      });
      expect(events).toContain(sentence);
    });

    test('nothing runs for it, and no endpoint points to it', async () => {
      const { metadata } = await placeholder();
      const explained = await product.kubectl.run([
        'get',
        '--raw',
        `/api/v1/nodes/${product.testbed.nodeName}/proxy/explain/${namespace}/${metadata?.name ?? ''}`,
      ]);
      expect(JSON.parse(explained)).toMatchObject({ instance: 'absent', failures: [] });
      const slices = await eventually('the endpoint of the real pod', async () => {
        const list = await product.kubectl.list<EndpointSlice>([
          'endpointslices',
          '-n',
          namespace,
          '-l',
          `kubernetes.io/service-name=${name}`,
        ]);
        const targets = list.flatMap(({ endpoints }) => (endpoints ?? []).map(({ targetRef }) => targetRef?.name));
        return targets.length > 0 && targets;
      });
      expect(slices).toHaveLength(1);
      expect(slices).not.toContain(metadata?.name);
    });

    test('it goes with its DaemonSet', async () => {
      await product.kubectl.run(['delete', 'daemonset', name, '-n', namespace, '--timeout=120s']);
      await product.kubectl.run([
        'wait',
        '--for=delete',
        'pod',
        '-l',
        `app=${name}`,
        '-n',
        namespace,
        '--timeout=120s',
      ]);
    });
  },
);
