import { readFile } from 'node:fs/promises';
import type { Node, Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { hasFindings, type LiveCluster, type Plan, planOf } from './plan.ts';
import { parseManifest } from './manifest.ts';
import { supports } from '../../backends/support.ts';
import { noClaims } from '../../podspec/testing/claims.ts';
import { poolsOfNodes } from '../pools.ts';

const guide = await readFile(new URL('../../../demo/test-vk.yaml', import.meta.url), 'utf8');
const virtual: Node = {
  metadata: {
    name: 'virtual-kubelet',
    labels: { type: 'virtual-kubelet' },
    annotations: { 'spillway.dev/sizing': 'cci', 'spillway.dev/backend': 'cci-v1' },
  },
  spec: { taints: [{ key: 'virtual-kubelet.io/burst-to-cci', value: 'cci', effect: 'NoSchedule' }] },
  status: { allocatable: { cpu: '64', memory: '256Gi', pods: '15' } },
};
const { pools } = poolsOfNodes([virtual], supports);
const real: Node = { metadata: { name: 'node-1' }, status: { allocatable: { cpu: '2', memory: '16Gi', pods: '110' } } };

const taken: Pod = {
  metadata: { name: 'dns', namespace: 'kube-system', uid: 'dns' },
  spec: { nodeName: 'node-1', containers: [{ name: 'dns', resources: { requests: { cpu: '100m' } } }] },
};
const live: LiveCluster = {
  nodes: [real, virtual],
  pods: [taken],
  profiles: [],
  claims: noClaims,
  remarks: [],
};

function plan(text: string, { cluster = live, ...more }: Partial<Parameters<typeof planOf>[0]> = {}): Plan {
  return planOf({ objects: parseManifest(text, 'deploy.yaml'), pools, cluster, remarks: [], ...more });
}
const withValue = (value: string): string => guide.replace("'auto'", `'${value}'`);

describe('where the 20 replicas of the guide would go, with 1.9 CPUs free on one node and room for 15 pods in the pool', () => {
  it.each([
    ['auto', { local: 3, burst: 15, waiting: 2 }],
    ['localPrefer', { local: 3, burst: 15, waiting: 2 }],
    ['enforce', { local: 0, burst: 15, waiting: 5 }],
    ['off', { local: 3, burst: 0, waiting: 17 }],
  ])('%s', (value, forecast) => {
    expect(plan(withValue(value)).workloads).toMatchObject([
      { object: 'Deployment test-vk', replicas: 20, policy: { value }, forecast },
    ]);
  });

  it('with another number of replicas', () => {
    expect(plan(guide, { replicas: 4 }).workloads[0]?.forecast).toEqual({ local: 3, burst: 1, waiting: 0 });
  });

  it('in a pool with link agents, which are shown and count among the containers', () => {
    const annotations = { 'spillway.dev/sizing': 'cci', 'spillway.dev/backend': 'cci-v1+agent' };
    const node = { ...virtual, metadata: { ...virtual.metadata, annotations } };
    const linked = poolsOfNodes([node], supports).pools;
    const cluster = { ...live, nodes: [real, node] };
    const [workload] = plan(guide, { cluster, pools: linked }).workloads;
    expect(workload?.pools).toMatchObject([{ burst: 'yes', addedContainers: 1 }]);
    expect(plan(guide).workloads[0]?.pools[0]).not.toHaveProperty('addedContainers');
  });

  it('for two workloads of one file: the second gets what the first leaves', () => {
    const second = guide.replaceAll('test-vk', 'second');
    const { workloads } = plan(`${guide}\n---\n${second}`);
    expect(workloads.map(({ forecast }) => forecast)).toEqual([
      { local: 3, burst: 15, waiting: 2 },
      { local: 0, burst: 0, waiting: 20 },
    ]);
    expect(workloads[1]?.pools).toMatchObject([{ burst: 'notNow', reasons: [{ code: 'room' }] }]);
  });

  it('when the real node is cordoned, tainted or not what the pods select', () => {
    const spec = { unschedulable: true };
    expect(
      plan(guide, { cluster: { ...live, nodes: [{ ...real, spec }, virtual] } }).workloads[0]?.forecast?.local,
    ).toBe(0);
    const taints = [{ key: 'gpu', effect: 'NoSchedule' }];
    const tainted = { ...live, nodes: [{ ...real, spec: { taints } }, virtual] };
    expect(plan(guide, { cluster: tainted }).workloads[0]?.forecast?.local).toBe(0);
  });

  it('is not said when no cluster is asked', () => {
    const answer = planOf({ objects: parseManifest(guide, 'deploy.yaml'), pools, remarks: [] });
    expect(answer.workloads[0]).not.toHaveProperty('forecast');
    expect(answer.workloads[0]?.pools).toMatchObject([{ burst: 'yes' }]);
  });
});

describe('each pool', () => {
  it('tells what is billed beside what was written', () => {
    const text = guide.replaceAll('500m', '600m');
    expect(plan(text).workloads[0]?.pools).toMatchObject([
      { burst: 'yes', size: { billed: { cpu: '750m', memory: '2Gi' }, written: { cpu: '600m', memory: '1Gi' } } },
    ]);
  });

  it('says why the pods cannot run there, and what to do', () => {
    const answer = plan(withValue('enforce').replaceAll('500m', '33'));
    expect(answer.workloads[0]?.pools).toMatchObject([{ burst: 'no', reasons: [{ code: 'cpu-too-large' }] }]);
    expect(answer.workloads[0]?.pools[0]?.reasons[0]?.remedy).toMatch(/./);
    expect(hasFindings(answer)).toBe(true);
  });

  it('is no finding when the pods may stay local', () => {
    expect(hasFindings(plan(guide.replaceAll('500m', '33')))).toBe(false);
  });

  it('takes no pods that do not ask', () => {
    const answer = plan(guide.replace('virtual-kubelet.io/burst-to-cci', 'app'));
    expect(answer.workloads[0]?.pools).toMatchObject([{ burst: 'no', reasons: [{ code: 'not-asked' }] }]);
  });

  it('waits while its node is blocked or not registered', () => {
    const taints = [{ key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' }];
    const blocked = { ...live, nodes: [real, { ...virtual, spec: { taints } }] };
    expect(plan(guide, { cluster: blocked }).workloads[0]?.pools).toMatchObject([{ burst: 'notNow' }]);
    expect(plan(guide, { cluster: { ...live, nodes: [real] } }).workloads[0]?.pools).toMatchObject([
      { burst: 'notNow' },
    ]);
  });

  it('is known from its node when there is no configuration', () => {
    const { pools: known, remarks } = poolsOfNodes([virtual, { metadata: { name: 'old' } }], supports);
    expect(known.map(({ name, sizing, support }) => [name, sizing, support.name])).toEqual([
      ['virtual-kubelet', 'cci', 'cci-v1'],
      ['old', 'none', 'unknown'],
    ]);
    expect(remarks).toEqual([
      expect.stringMatching(/^Node old: the annotation spillway\.dev\/backend is missing, .*--config\.$/),
      expect.stringMatching(/^Node old: the annotation spillway\.dev\/sizing is missing, /),
    ]);
  });
});

const claimsOf = (shown: Readonly<Record<string, string>>, backend = 'kubernetes'): readonly string[] | undefined => {
  const annotations = { 'spillway.dev/backend': backend, 'spillway.dev/sizing': 'none', ...shown };
  const [pool] = poolsOfNodes([{ metadata: { name: 'vk', annotations } }], supports).pools;
  return pool?.support.claims && [...pool.support.claims];
};

it('which claims another cluster has is known from the node, if they are not too many', () => {
  expect(claimsOf({ 'spillway.dev/claims': 'shop/a,shop/b' })).toEqual(['shop/a', 'shop/b']);
  expect(claimsOf({ 'spillway.dev/claims': '*' })).toBeUndefined();
  expect(claimsOf({})).toBeUndefined();
  // Left over from a backend before.
  expect(claimsOf({ 'spillway.dev/claims': 'shop/a' }, 'cci-v1')).toBeUndefined();
});

it('what admission writes is told, for the workload and for its pods', () => {
  const writes = plan(withValue('enforce')).workloads[0]?.writes ?? [];
  expect(writes).toContainEqual({ kind: 'Pod', path: '/spec/schedulerName', value: 'spillway' });
  expect(writes[0]).toMatchObject({ kind: 'Deployment', value: 'enforce' });
});

it('a value of the label that there is not is refused with those that there are', () => {
  const answer = plan(withValue('always'));
  expect(answer.workloads[0]?.refused.join()).toMatch(/always.*auto.*localPrefer.*enforce.*off/);
  expect(hasFindings(answer)).toBe(true);
});

describe('a manifest', () => {
  it('of several documents and lists: what makes pods is planned, the rest is named', () => {
    const text = `${guide}\n---\n{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]}\n`;
    expect(plan(text)).toMatchObject({
      workloads: [{ replicas: 20 }],
      notConcerned: [expect.stringContaining('ConfigMap')],
    });
  });

  it.each([
    ['a: [1', /^deploy\.yaml:\d+: not valid YAML/],
    ['kind: Deployment', /^deploy\.yaml:1: apiVersion/],
    ['{apiVersion: v1, kind: Pod, spec: 7}', /^deploy\.yaml:1: .*spec/],
    ['[1, 2]', /^deploy\.yaml:1: /],
  ])('%j is refused with its line', (text, message) => {
    expect(() => parseManifest(text, 'deploy.yaml')).toThrow(message);
  });

  it.each(['1e400', '-1', '9223372036854775808', '"½"'])(
    'with the quantity %s is planned or refused, never a crash',
    (cpu) => {
      expect(plan(guide.replaceAll('500m', cpu)).workloads).toHaveLength(1);
    },
  );
});
