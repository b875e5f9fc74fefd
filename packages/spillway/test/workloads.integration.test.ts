import { agnhostImage } from '@spillway/devcluster';
import type { Event, Job, Pod, TokenReview } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, eventuallyHolds } from '../testkit/eventually.ts';
import type { Product } from '../testkit/product.ts';
import { onVirtualNode, shellPod, startProduct, waitPhase, waitReady } from '../testkit/product.ts';

describe('workloads on the virtual node', () => {
  let product: Product;
  const inNamespace = <T extends { metadata?: object }>(object: T): T => ({
    ...object,
    metadata: { ...object.metadata, namespace: product.namespace },
  });
  const podsOf = (app: string): Promise<Pod[]> =>
    product.kubectl.list<Pod>(['pods', '-n', product.namespace, '-l', `app=${app}`]);

  beforeAll(async () => {
    product = await startProduct('workloads');
  });
  afterAll(async () => product?.[Symbol.asyncDispose]());

  test('a Job whose first pod fails is retried until it succeeds, and each pod ran once', async () => {
    const { kubectl, namespace } = product;
    await kubectl.apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'attempts', namespace } },
      inNamespace({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'retried' },
        spec: {
          backoffLimit: 6,
          completions: 1,
          template: {
            metadata: { labels: { app: 'retried' } },
            spec: {
              ...onVirtualNode,
              restartPolicy: 'Never',
              containers: [
                {
                  name: 'main',
                  image: 'busybox',
                  // The first pod has no marker in the ConfigMap yet and fails.
                  command: ['sh', '-c', 'echo attempt; [ -n "$MARKER" ] || exit 3'],
                  env: [
                    {
                      name: 'MARKER',
                      valueFrom: { configMapKeyRef: { name: 'attempts', key: 'done', optional: true } },
                    },
                  ],
                },
              ],
            },
          },
        },
      }),
    );
    await eventually('the first pod to fail', async () =>
      (await podsOf('retried')).some((pod) => pod.status?.phase === 'Failed'),
    );
    await kubectl.run(['patch', 'configmap', 'attempts', '-n', namespace, '-p', '{"data":{"done":"yes"}}']);
    await kubectl.run(['wait', '-n', namespace, '--for=condition=Complete', 'job/retried', '--timeout=240s']);
    const job = await kubectl.get<Job>(['job', 'retried', '-n', namespace]);
    expect(job.status?.succeeded).toBe(1);
    expect(job.status?.failed).toBeGreaterThanOrEqual(1);
    const failed = (await podsOf('retried')).filter((pod) => pod.status?.phase === 'Failed');
    expect(failed[0]?.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 3,
      reason: 'Error',
    });
    expect((await podsOf('retried')).map((pod) => pod.status?.containerStatuses?.[0]?.restartCount)).toEqual(
      (await podsOf('retried')).map(() => 0),
    );
  });

  test('a pod of a StatefulSet knows its fully qualified name, and comes back under it as a new instance when it is deleted', async () => {
    const { kubectl, namespace } = product;
    await kubectl.apply(
      inNamespace({
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'db' },
        spec: {
          serviceName: 'db',
          replicas: 1,
          selector: { matchLabels: { app: 'db' } },
          template: {
            metadata: { labels: { app: 'db' } },
            spec: {
              ...onVirtualNode,
              terminationGracePeriodSeconds: 1,
              containers: [
                { name: 'main', image: 'busybox', command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'] },
              ],
            },
          },
        },
      }),
    );
    const before = await eventually('db-0 to exist', () => kubectl.get<Pod>(['pod', 'db-0', '-n', namespace]));
    const first = await waitReady(kubectl, namespace, 'db-0');
    expect(first.metadata?.uid).toBe(before.metadata?.uid);
    const name = await kubectl.run(['exec', '-n', namespace, 'db-0', '--', 'hostname', '-f']);
    expect(name).toBe(`db-0.db.${namespace}.svc.cluster.local\n`);
    await kubectl.run(['delete', 'pod', 'db-0', '-n', namespace]);
    const second = await eventually('a new db-0 to be Ready', async () => {
      const pod = await kubectl.get<Pod>(['pod', 'db-0', '-n', namespace]);
      const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
      return ready && pod.metadata?.uid !== first.metadata?.uid && pod;
    });
    expect(second.status?.containerStatuses?.[0]?.containerID).not.toBe(
      first.status?.containerStatuses?.[0]?.containerID,
    );
  });

  test('a pod is not told where an API server is, gets no token unasked, and knows names but no Services of its cluster', async () => {
    const { kubectl, namespace } = product;
    const script = `echo "[$KUBERNETES_SERVICE_HOST][$KUBERNETES_SERVICE_PORT]"; ls /var/run/secrets/kubernetes.io 2>&1; sleep 3600`;
    await kubectl.apply(
      inNamespace(
        shellPod('stranger', '', {
          containers: [{ name: 'main', image: agnhostImage, command: ['sh', '-c', script] }],
        }),
      ),
    );
    await waitReady(kubectl, namespace, 'stranger');
    // Ready is who has started, and may not have said anything yet.
    await eventuallyHolds(async () =>
      expect(await kubectl.run(['logs', '-n', namespace, 'stranger'])).toMatch(
        /^\[\]\[\]\n.*No such file or directory\n$/,
      ),
    );
    const connect = ['/agnhost', 'connect', 'kubernetes.default.svc.cluster.local:443', '--timeout=2s'];
    const connected = await kubectl.try(['exec', '-n', namespace, 'stranger', '--', ...connect]);
    expect(connected.code).toBe(1);
    // A name that is not known would be DNS.
    expect(connected.stderr).toMatch(/^(TIMEOUT|REFUSED|OTHER)/);
  });

  test('a token that a pod asks for by itself is sent, and is the pod here', async () => {
    const { kubectl, namespace } = product;
    await kubectl.apply(
      inNamespace(
        shellPod('client', '', {
          containers: [
            {
              name: 'main',
              image: 'busybox',
              command: ['sleep', '3600'],
              volumeMounts: [{ name: 'token', mountPath: '/token' }],
            },
          ],
          volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'it' } }] } }],
        }),
      ),
    );
    await waitReady(kubectl, namespace, 'client');
    const token = await kubectl.run(['exec', '-n', namespace, 'client', '--', 'cat', '/token/it']);
    const review = JSON.parse(
      await kubectl.run(
        ['create', '-f', '-', '-o', 'json'],
        JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }),
      ),
    ) as TokenReview;
    expect(review.status).toMatchObject({
      authenticated: true,
      user: {
        username: `system:serviceaccount:${namespace}:default`,
        extra: { 'authentication.kubernetes.io/pod-name': ['client'] },
      },
    });
  });

  test('a stopped container gets SIGTERM and its grace before anything else', async () => {
    const { kubectl, namespace, testbed } = product;
    await kubectl.apply(
      inNamespace(
        shellPod(
          'polite',
          'trap "echo got TERM; sleep 2; echo done; exit 0" TERM; echo ready; while :; do sleep 0.1; done',
          {
            terminationGracePeriodSeconds: 30,
          },
        ),
      ),
    );
    await waitReady(kubectl, namespace, 'polite');
    const { cluster } = testbed;
    const follow = cluster.spawn(
      cluster.kubectlPath,
      ['--kubeconfig', cluster.kubeconfig, 'logs', '-f', '-n', namespace, 'polite'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let deleting: Promise<string> | undefined;
    let text = '';
    for await (const chunk of follow.stdout ?? []) {
      text += String(chunk);
      // It hears SIGTERM, and we hear it.
      if (text.includes('ready\n')) deleting ??= kubectl.run(['delete', 'pod', 'polite', '-n', namespace]);
    }
    await deleting;
    expect(text).toBe('ready\ngot TERM\ndone\n');
  });

  test('environment, ConfigMap, Secret, downward API and emptyDir arrive in the containers', async () => {
    const { kubectl, namespace } = product;
    await kubectl.apply(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'settings', namespace },
        data: { color: 'blue', 'app.conf': 'a=1\n' },
      },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys', namespace }, stringData: { password: 'hunter2' } },
      inNamespace(
        shellPod('wired', 'sleep 3600', {
          initContainers: [
            {
              name: 'prepare',
              image: 'busybox',
              command: ['sh', '-c', 'echo from-init > /scratch/file'],
              volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
            },
          ],
          containers: [
            {
              name: 'main',
              image: 'busybox',
              command: ['sh', '-c', 'sleep 3600'],
              resources: { limits: { cpu: '250m', memory: '64Mi' } },
              env: [
                { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
                { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'keys', key: 'password' } } },
                { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
                { name: 'URL', value: 'http://$(POD_IP):80/$(COLOR)' },
                { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
              ],
              volumeMounts: [
                { name: 'settings', mountPath: '/etc/settings' },
                { name: 'keys', mountPath: '/etc/keys', readOnly: true },
                { name: 'info', mountPath: '/etc/info' },
                { name: 'scratch', mountPath: '/scratch' },
              ],
            },
          ],
          volumes: [
            { name: 'settings', configMap: { name: 'settings' } },
            { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
            { name: 'info', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
            { name: 'scratch', emptyDir: {} },
          ],
        }),
      ),
    );
    const pod = await waitReady(kubectl, namespace, 'wired');
    const read = await kubectl.run([
      'exec',
      '-n',
      namespace,
      'wired',
      '--',
      'sh',
      '-c',
      'echo "$COLOR|$PASSWORD|$URL|$CPU"; cat /etc/settings/app.conf /etc/keys/password; echo; cat /etc/info/name; echo; cat /scratch/file',
    ]);
    expect(read).toBe(`blue|hunter2|http://${pod.status?.podIP}:80/blue|250\na=1\nhunter2\nwired\nfrom-init\n`);
  });

  test('a pod that refers to a ConfigMap that does not exist waits, says so, and starts when it appears', async () => {
    const { kubectl, namespace } = product;
    await kubectl.apply(
      inNamespace(
        shellPod('waiting', 'sleep 3600', {
          containers: [
            {
              name: 'main',
              image: 'busybox',
              command: ['sh', '-c', 'sleep 3600'],
              envFrom: [{ configMapRef: { name: 'late' } }],
            },
          ],
        }),
      ),
    );
    const pod = await eventually('the reason to be visible', async () => {
      const current = await kubectl.get<Pod>(['pod', 'waiting', '-n', namespace]);
      return current.status?.containerStatuses?.[0]?.state?.waiting && current;
    });
    expect(pod.status?.phase).toBe('Pending');
    expect(pod.status?.containerStatuses?.[0]?.state?.waiting).toMatchObject({
      reason: 'CreateContainerConfigError',
      message: expect.stringContaining('configmap "late" not found'),
    });
    await eventually('the event', async () => {
      const selector = `--field-selector=involvedObject.uid=${pod.metadata?.uid}`;
      const events = await kubectl.list<Event>(['events', '-n', namespace, selector]);
      return events.some(({ message }) => message?.includes('configmap "late" not found'));
    });
    await kubectl.run(['create', 'configmap', 'late', '-n', namespace, '--from-literal=KEY=value']);
    await waitReady(kubectl, namespace, 'waiting');
  });

  test('what the backend does not have is refused with field, reason and remedy, never silently ignored', async () => {
    const { kubectl, namespace } = product;
    const volumes = [{ name: 'host', hostPath: { path: '/etc' } }];
    await kubectl.apply(inNamespace(shellPod('on-host', 'sleep 3600', { volumes })));
    const text = await eventually('the refusal to be visible', async () => {
      const described = await kubectl.run(['describe', 'pod', 'on-host', '-n', namespace]);
      return described.includes('spec.volumes[0]') && described;
    });
    expect(text).toMatch(/Status:\s+Pending/);
    expect(text).toContain('spec.volumes[0].hostPath: ');
  });

  test('exit codes and restarts are reported as the kubelet reports them', async () => {
    const { kubectl, namespace } = product;
    await kubectl.apply(
      inNamespace(shellPod('once', 'echo bye > /dev/termination-log; exit 4', { restartPolicy: 'Never' })),
      inNamespace(shellPod('again', 'echo run; exit 1')),
    );
    const once = await waitPhase(kubectl, namespace, 'once', 'Failed');
    expect(once.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 4,
      reason: 'Error',
      message: 'bye\n',
    });
    const again = await eventually('a restart', async () => {
      const pod = await kubectl.get<Pod>(['pod', 'again', '-n', namespace]);
      const status = pod.status?.containerStatuses?.[0];
      return (status?.restartCount ?? 0) >= 1 && status?.lastState?.terminated && pod;
    });
    expect(again.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(1);
    expect(again.status?.phase).toBe('Running');
    // A kubelet shows the reason CrashLoopBackOff for moments only, but it always says that it waits.
    await eventually('the event BackOff', async () =>
      (await kubectl.run(['events', '-n', namespace, '--for', 'pod/again'])).includes('BackOff'),
    );
    // When the kubelet has just removed the former attempt, it says so in the log's place until there is another.
    await eventually(
      'the log of an attempt before',
      async () => (await kubectl.run(['logs', '-n', namespace, 'again', '--previous'])) === 'run\n',
    );
  });
});
