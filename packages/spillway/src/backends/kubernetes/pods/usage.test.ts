import { ApiError, type KubeClient, type ListOptions, type Pod, type ResourceType } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { dialects } from '../../cci/dialects.ts';
import { podDialect } from '../../cci/pod-dialect.ts';
import { trusted } from '../../trusted.ts';
import { type Dialect, kubernetesDialect } from '../dialect.ts';
import { podMarks } from './marks.ts';
import { durationMs, type PodMetrics, readUsage, usageOf } from './usage.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const { signal } = new AbortController();
const pods = new Map<string, Pod>(
  ['web', 'job'].map((name) => {
    const ref = { uid: `uid-of-${name}`, namespace: 'shop', name };
    return [`shop-${name}`, { metadata: { name: `shop-${name}`, ...podMarks(owner, ref) } }];
  }),
);

const metricsOf = (
  name: string,
  usage: Record<string, string> = { cpu: '251234567n', memory: '35212Ki' },
): PodMetrics => ({
  metadata: { name },
  timestamp: '2026-03-01T12:00:15Z',
  window: '14.5s',
  containers: [{ name: 'main', usage }],
});

/** Asked of a cluster whose metrics API answers this. */
async function read(
  answer: () => readonly (readonly PodMetrics[])[],
  dialect: Dialect = kubernetesDialect,
): Promise<{ usage: Awaited<ReturnType<typeof readUsage>>; asked: unknown[] }> {
  const asked: unknown[] = [];
  const client = trusted<KubeClient>({
    resource: ({ apiVersion, plural }: ResourceType<unknown>) => ({
      async *pages({ namespace, labelSelector, retry }: ListOptions) {
        asked.push([apiVersion, plural, namespace, labelSelector, retry]);
        for (const items of answer()) yield { metadata: {}, items };
      },
    }),
  });
  const instances = {
    named: (name: string) => pods.get(name),
    lastSeen: (uid: string) => pods.get(`shop-${uid.slice('uid-of-'.length)}`),
  };
  const usage = await readUsage({ client, dialect, namespace: 'burst', owner, instances }, signal);
  return { usage, asked };
}

const failing =
  (status: number, body: object = {}) =>
  (): never => {
    throw new ApiError('the server said no', { status, ...body });
  };

describe('what pods in another cluster use', () => {
  test('is asked once for all of them, in pages, and told by the UIDs that the pods have here', async () => {
    const { usage, asked } = await read(() => [[metricsOf('shop-web')], [metricsOf('shop-job'), metricsOf('theirs')]]);
    const selector = 'spillway.dev/cluster=home,spillway.dev/node=virtual,spillway.dev/pod-uid';
    expect(asked).toEqual([['metrics.k8s.io/v1beta1', 'pods', 'burst', selector, false]]);
    const measured = {
      atMs: Date.parse('2026-03-01T12:00:15Z'),
      windowMs: 14_500,
      containers: [{ name: 'main', cores: 0.251234567, memoryBytes: 35_212 * 1024 }],
    };
    expect(usage).toEqual([
      { uid: 'uid-of-web', ...measured },
      { uid: 'uid-of-job', ...measured },
    ]);
  });

  test.each<[string, object]>([
    ['no time', { timestamp: undefined }],
    ['a time that is none', { timestamp: 'yesterday' }],
    ['no window', { window: '' }],
    ['no containers', { containers: undefined }],
  ])('of a pod is unknown when the answer has %s', async (_, odd) => {
    const answer = [metricsOf('shop-web'), trusted<PodMetrics>({ ...metricsOf('shop-job'), ...odd })];
    expect((await read(() => [answer])).usage.map(({ uid }) => uid)).toEqual(['uid-of-web']);
  });

  test('is that of the instance, when two pods there have the UID of one', async () => {
    const double = pods.get('shop-web') ?? {};
    pods.set('shop-web-2', { ...double, metadata: { ...double.metadata, name: 'shop-web-2' } });
    const { usage } = await read(() => [[metricsOf('shop-web-2', { cpu: '7' }), metricsOf('shop-web', { cpu: '1' })]]);
    pods.delete('shop-web-2');
    expect(usage.map(({ containers }) => containers[0]?.cores)).toEqual([1]);
  });

  test('is missing, and not zero, where the answer lacks it', () => {
    expect(usageOf('u', metricsOf('x', { cpu: '0' }))[0]?.containers).toEqual([{ name: 'main', cores: 0 }]);
    expect(usageOf('u', metricsOf('x', { cpu: 'much', memory: '1Gi' }))[0]?.containers).toEqual([
      { name: 'main', memoryBytes: 2 ** 30 },
    ]);
    expect(
      usageOf('u', trusted<PodMetrics>({ ...metricsOf('x'), containers: [{}, { name: 'a' }] }))[0]?.containers,
    ).toEqual([{ name: 'a' }]);
  });

  test('without a metrics API there says what helps, and is no sign that the namespace is missing', async () => {
    await expect(read(failing(404))).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'NoMetricsAPI',
      remedy: 'Install metrics-server in the cluster where the pods run.',
    });
    await expect(read(failing(403))).rejects.toMatchObject({ kind: 'unauthorized', reason: 'MetricsForbidden' });
    await expect(read(failing(503))).rejects.toBeInstanceOf(ApiError);
  });

  test('is not asked of CCI 2.0, which has no metrics API', async () => {
    const asIs = { region: 'cn-north-4', volumeRefresh: false };
    await expect(read(() => [], podDialect(dialects.v2, asIs))).rejects.toMatchObject({
      reason: 'NoMetricsAPI',
      message: 'CCI 2.0 has no metrics API (metrics.k8s.io)',
    });
    expect((await read(() => [[metricsOf('shop-web')]], podDialect(dialects.v1, asIs))).usage).toHaveLength(1);
  });
});

test.each([
  ['15s', 15_000],
  ['14.966s', 14_966],
  ['1m0.5s', 60_500],
  ['1h2m3s', 3_723_000],
  ['250ms', 250],
  ['15', undefined],
  ['', undefined],
  ['-3s', undefined],
])('the window %j takes %s ms', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});
