import type { Container, Pod } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { makeWorkload } from '../../testing/workloads.ts';
import { podDialect } from '../../cci/pod-dialect.ts';
import { dialects } from '../../cci/dialects.ts';
import { kubernetesDialect } from '../dialect.ts';
import { translate } from '../fields/translate.ts';
import { podChange, withoutRefused } from './pod-change.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const cci = podDialect(dialects.v1, { region: 'r1', volumeRefresh: true });

interface Edit {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly container?: Partial<Container>;
  readonly activeDeadlineSeconds?: number;
}

/** The pod in the other cluster as Spillway makes it. */
function made({ labels = { app: 'web' }, annotations = {}, container = {}, activeDeadlineSeconds }: Edit): Pod {
  const spec = { containers: [container], ...(activeDeadlineSeconds !== undefined && { activeDeadlineSeconds }) };
  const workload = makeWorkload({ name: 'web', image: 'nginx:1', spec });
  const metadata = { ...workload.pod.metadata, uid: 'u', labels, annotations };
  const input = { ...workload, ref: { ...workload.ref, uid: 'u' }, pod: { ...workload.pod, metadata } };
  return translate(input, { dialect: kubernetesDialect, owner, namespace: 'burst' }).pod;
}

/** As somebody in the other cluster has touched it. */
const touched = (pod: Pod): Pod => ({
  ...pod,
  metadata: {
    ...pod.metadata,
    labels: { ...pod.metadata?.labels, theirs: '1' },
    annotations: { ...pod.metadata?.annotations, 'cni.example/ip': '10.0.0.1' },
  },
  spec: { containers: (pod.spec?.containers ?? []).map((each) => ({ ...each, image: 'mirror.example/nginx:1' })) },
});

const cpu = (amount: string): Partial<Container> => ({ resources: { requests: { cpu: amount } } });

/** A pod with a hosts file of its own. */
function withShell(image: string, amount: string): Pod {
  const own = { image, command: ['sh'], ...cpu(amount) };
  const spec = { subdomain: 'ring', initContainers: [{ name: 'first', ...own }], containers: [own] };
  const workload = makeWorkload({ name: 'web', image, spec });
  return translate(workload, { dialect: kubernetesDialect, owner, namespace: 'burst' }).pod;
}

describe('a pod in another cluster', () => {
  test('that its author has not edited is not changed, whatever others did to it', () => {
    const { spec, resize, metadata, refused } = podChange(touched(made({})), made({}), kubernetesDialect);
    expect({ spec, resize, metadata, refused }).toEqual({
      spec: undefined,
      resize: undefined,
      metadata: { labels: {}, annotations: {} },
      refused: [],
    });
  });

  test('gets labels and annotations that were added, and loses its own that were removed, and no others', () => {
    const before = touched(made({ labels: { app: 'web', old: '1' }, annotations: { old: '1' } }));
    const { metadata } = podChange(
      before,
      made({ labels: { app: 'api' }, annotations: { a: '2' } }),
      kubernetesDialect,
    );
    expect(metadata.labels).toEqual({ app: 'api', old: null });
    expect(metadata.annotations).toMatchObject({ a: '2', old: null });
    expect(metadata.annotations).not.toHaveProperty('cni.example/ip');
  });

  test('of an earlier Spillway is marked, and nothing that runs is changed', () => {
    const { annotations: _, ...metadata } = made({}).metadata ?? {};
    const old = touched({ ...made({}), metadata });
    const change = podChange(old, made({ container: { image: 'nginx:2' } }), kubernetesDialect);
    expect(change).toMatchObject({ spec: undefined, resize: undefined, refused: [] });
    expect(change.metadata.annotations).toHaveProperty(['spillway.dev/revision']);
  });

  test('keeps its marks, also when the pod here had a label of the same name', () => {
    const before = made({ labels: { 'spillway.dev/node': 'mine' } });
    expect(before.metadata?.labels).toHaveProperty(['spillway.dev/node'], 'virtual');
    const { metadata } = podChange(before, made({ labels: {} }), kubernetesDialect);
    expect(metadata.labels).toEqual({});
  });

  test('gets a new image and a deadline', () => {
    const change = podChange(
      made({}),
      made({ container: { image: 'nginx:2' }, activeDeadlineSeconds: 5 }),
      kubernetesDialect,
    );
    expect(change.spec).toEqual({
      containers: [{ name: 'main', image: 'nginx:2' }],
      activeDeadlineSeconds: 5,
    });
  });

  test('is resized where the cluster can', () => {
    const [small, large] = [made({ container: cpu('1') }), made({ container: cpu('2') })];
    expect(podChange(small, large, kubernetesDialect)).toMatchObject({
      spec: undefined,
      resize: { containers: [{ name: 'main', resources: { requests: { cpu: '2' } } }] },
      refused: [],
    });
    expect(podChange(small, large, cci)).toMatchObject({
      resize: undefined,
      refused: [{ code: 'resize-unsupported', field: 'spec.containers[0].resources' }],
    });
  });

  test('that has its hosts file written by another container is changed in its own ones', () => {
    const [before, after] = [withShell('busybox:1', '1'), withShell('busybox:2', '2')];
    expect(before.spec?.initContainers).toHaveLength(2);
    const { spec, resize } = podChange(before, after, kubernetesDialect);
    expect(spec?.initContainers?.map(({ name }) => name)).toEqual(['first']);
    expect(resize?.containers?.map(({ name }) => name)).toEqual(['main']);
    expect(podChange(before, after, cci).refused.map(({ field }) => field)).toEqual([
      'spec.initContainers[0].resources',
      'spec.containers[0].resources',
    ]);
  });

  test('that was refused a resize is asked for it again, until its author takes it back', () => {
    const [small, large] = [made({ container: cpu('1') }), made({ container: cpu('2') })];
    const change = podChange(small, large, cci);
    const { annotations } = withoutRefused(change, small, large, change.refused);
    const after = { ...large, metadata: { ...large.metadata, annotations: { ...large.metadata?.annotations } } };
    for (const [key, value] of Object.entries(annotations)) if (value !== null) after.metadata.annotations[key] = value;
    expect(podChange(after, large, cci).refused).toHaveLength(1);
    expect(podChange(after, small, cci).refused).toEqual([]);
  });

  test('does not get a deadline in CCI, which cannot change it: Spillway ends it in time', () => {
    expect(podChange(made({}), made({ activeDeadlineSeconds: 5 }), cci)).toMatchObject({
      spec: undefined,
      refused: [],
    });
  });
});
