import type { KubeObject, Pod } from '@spillway/kube';
import { expect, test } from 'vitest';
import { copyMarks, namespaceMarks, podMarks } from '../pods/marks.ts';
import { tracesIn } from './traces.ts';

const created = (seconds: number): string => `2026-01-01T00:00:0${seconds}Z`;
const owner = (clusterId: string, nodeName = 'virtual'): { clusterId: string; nodeName: string } => ({
  clusterId,
  nodeName,
});
const marked = (marks: ReturnType<typeof namespaceMarks>, name: string, seconds: number): KubeObject => ({
  metadata: {
    name,
    uid: name,
    creationTimestamp: created(seconds),
    labels: { ...marks.labels },
    annotations: { ...marks.annotations },
  },
});
const pod = (clusterId: string, name: string, phase = 'Running'): Pod => ({
  metadata: marked(podMarks(owner(clusterId), { uid: name, namespace: 'shop', name }), name, 2).metadata ?? {},
  spec: {
    containers: [{ name: 'main', resources: { limits: { cpu: '500m', memory: '1Gi' } } }],
    initContainers: [{ name: 'first', resources: { limits: { cpu: '4', memory: '8Gi' } } }],
  },
  status: { phase },
});

test('a namespace, its instances and its copies are those of the cluster in their marks, with size and age', () => {
  const object = marked(namespaceMarks('a'), 'cce-burst-a', 1);
  const copies = [marked(copyMarks(owner('a', 'other')), 'login', 3)];
  expect(
    tracesIn({ name: 'cce-burst-a', object, pods: [pod('a', 'web'), pod('a', 'job', 'Succeeded')], copies }),
  ).toEqual([
    {
      clusterId: 'a',
      by: 'spillway',
      namespace: 'cce-burst-a',
      since: created(1),
      nodes: ['other', 'virtual'],
      instances: [
        {
          name: 'web',
          uid: 'web',
          pod: 'shop/web',
          node: 'virtual',
          since: created(2),
          ended: false,
          cpu: '500m',
          memory: '1Gi',
        },
        {
          name: 'job',
          uid: 'job',
          pod: 'shop/job',
          node: 'virtual',
          since: created(2),
          ended: true,
          cpu: '500m',
          memory: '1Gi',
        },
      ],
    },
  ]);
});

test('two clusters in one namespace are told apart', () => {
  const found = tracesIn({
    name: 'burst',
    object: { metadata: { name: 'burst' } },
    pods: [pod('a', 'x'), pod('b', 'y')],
    copies: [],
  });
  expect(found.map(({ clusterId, instances }) => [clusterId, instances.map(({ name }) => name)])).toEqual([
    ['a', ['x']],
    ['b', ['y']],
  ]);
});

test('what the vendor’s add-on has made is told by its names', () => {
  const annotations = {
    'virtual-kubelet-clustername': 'prod',
    'virtual-kubelet-nodename': 'virtual-kubelet',
    'virtual-kubelet-namespace': 'shop',
    'virtual-kubelet-podname': 'web',
  };
  const old = { metadata: { name: 'shop-web', annotations }, spec: { containers: [] } };
  const object = { metadata: { name: 'bursting-4711' } };
  expect(tracesIn({ name: 'bursting-4711', object, pods: [old], copies: [] })).toMatchObject([
    { clusterId: '4711', by: 'add-on', nodes: ['virtual-kubelet'], instances: [{ name: 'shop-web', pod: 'shop/web' }] },
  ]);
});

test('what has no marks is nobody’s', () => {
  const object = { metadata: { name: 'theirs' } };
  expect(tracesIn({ name: 'theirs', object, pods: [{ metadata: { name: 'p' } }], copies: [] })).toEqual([]);
});
