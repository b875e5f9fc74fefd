import type { Deployment, Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { supports } from '../backends/support.ts';
import { type AskPools, askPools } from '../podspec/fit/fit.ts';
import { movesOf, nextStep, type Situation, troubleOf } from './moves.ts';
import { addOnPod } from './testing/add-on-objects.ts';

const support = supports.get('cci-v1');
if (support === undefined) throw new Error('there is CCI 1.0');
const pool = { name: 'cci', nodeName: 'spillway', taints: [], support, sizing: 'none' } as const;
const ask: AskPools = askPools([pool], () => undefined);
const requests = { resources: { requests: { cpu: '1', memory: '2Gi' } } };
const container = { name: 'main', image: 'app', ...requests };
const runnable = (pod: Pod): Pod => ({ ...pod, spec: { ...pod.spec, containers: [container] } });

const fates = (...pods: readonly Pod[]): unknown[] =>
  movesOf({ pods: pods.map(runnable), workloads: [] }, ask).map((move) => [
    `${move.kind} ${move.name}`,
    move.fate,
    move.pods,
  ]);

const label = 'virtual-kubelet.io/burst-to-cci';
const web = (own: Record<string, string>, template: Record<string, string>): Deployment => ({
  kind: 'Deployment',
  metadata: { namespace: 'shop', name: 'web', labels: own },
  spec: { selector: {}, template: { metadata: { labels: template }, spec: { containers: [] } } },
});
const moveOf = (workload: Deployment): unknown[] =>
  movesOf({ pods: [runnable(addOnPod('web-1a-x'))], workloads: [workload] }, ask).map(({ fate, label: copied }) => [
    fate,
    copied,
  ]);

const many = (count: number, nodeName?: string): Pod[] =>
  Array.from({ length: count }, (_, n) => addOnPod(`${nodeName ?? 'old'}-${n}`, nodeName ? { nodeName } : {}));

const addOnNodes = new Set(['bursting-node']);

const step = (pods: readonly Pod[], more: Partial<Situation> = {}): string => {
  const known = new Set(pods.map(({ metadata }) => metadata?.uid ?? ''));
  const next = nextStep({ pods, addOnNodes, known, wanted: pods.length, ordered: false, rollsOut: false, ...more });
  return next.kind === 'evict' ? `evict ${next.pods.map(({ metadata }) => metadata?.name).join(' ')}` : next.kind;
};

const trouble = (...pods: readonly Pod[]): string => troubleOf({ pods, addOnNodes });

describe('what becomes of the pods on the add-on’s node', () => {
  it('those with an owner move; those of a Job finish; one without an owner stays; DaemonSets and the dead are none', () => {
    expect(
      fates(
        addOnPod('web-1a-x'),
        addOnPod('web-1a-y'),
        addOnPod('db-0', { owner: { kind: 'StatefulSet', name: 'db' } }),
        addOnPod('report-z', { owner: { kind: 'Job', name: 'report' } }),
        addOnPod('alone', { owner: null }),
        addOnPod('agent', { owner: { kind: 'DaemonSet', name: 'agent' } }),
        addOnPod('old', { phase: 'Succeeded' }),
        addOnPod('leaving', { deleting: true }),
      ),
    ).toEqual([
      ['Deployment web', 'evicted', ['web-1a-x', 'web-1a-y']],
      ['Job report', 'finishes', ['report-z']],
      ['Pod alone', 'stays', ['alone']],
      ['StatefulSet db', 'evicted', ['db-0']],
    ]);
  });

  it('those that no pool runs stay where they run, with the reason', () => {
    const pod = runnable(addOnPod('web-1a-x'));
    const privileged = { ...container, securityContext: { privileged: true } };
    const [move] = movesOf({ pods: [{ ...pod, spec: { containers: [privileged] } }], workloads: [] }, ask);
    expect([move?.fate, move?.why, move?.remedy]).toEqual([
      'refused',
      expect.stringMatching(/^pool cci: .*privileged/),
      expect.any(String),
    ]);
  });
});

describe('a workload whose label is not in its pod template', () => {
  it('is rolled out with it, because Spillway looks at the pods, and the add-on at their owner, too', () => {
    expect(moveOf(web({ [label]: 'enforce' }, {}))).toEqual([['rolledOut', { key: label, value: 'enforce' }]]);
    expect(moveOf(web({ [label]: 'enforce' }, { [label]: 'auto' }))).toEqual([['evicted', undefined]]);
    expect(moveOf(web({}, {}))).toEqual([['evicted', undefined]]);
  });
});

describe('how a workload moves', () => {
  it('one pod at a time while there are few, a quarter of many, and of a StatefulSet always one', () => {
    expect(step(many(1))).toBe('evict old-0');
    expect(step(many(7))).toBe('evict old-0');
    expect(step(many(8))).toBe('evict old-0 old-1');
    expect(step(many(8), { ordered: true })).toBe('evict old-0');
  });

  it('the next goes when the new one is ready and the old one is gone', () => {
    const old = many(3);
    const leaving = [...old.slice(1), addOnPod('old-0', { deleting: true })];
    expect(step(leaving, { wanted: 3 })).toBe('wait');
    const starting = addOnPod('new', { nodeName: 'spillway', ready: false });
    expect(step([...old.slice(1), starting], { wanted: 3 })).toBe('wait');
    const fresh = addOnPod('new', { nodeName: 'spillway' });
    expect(step([...leaving, fresh], { wanted: 3 })).toBe('wait');
    expect(step([...old.slice(1), fresh], { wanted: 3 })).toBe('evict old-1');
  });

  it('is done when nothing of it is there and all are ready that were; fewer if it was scaled down meanwhile', () => {
    expect(step(many(2, 'spillway'))).toBe('done');
    expect(step(many(1, 'spillway'), { wanted: 2 })).toBe('wait');
    expect(step([], { wanted: 0 })).toBe('done');
  });

  it('those that are not ready go first, even while others are missing', () => {
    const broken = addOnPod('broken', { ready: false });
    expect(step([addOnPod('good'), broken], { wanted: 1 })).toBe('evict broken');
    expect(step([broken], { wanted: 1 })).toBe('evict broken');
  });

  it('nothing is evicted while its owner rolls it out', () => {
    expect(step(many(3), { rollsOut: true })).toBe('wait');
    expect(step(many(3, 'spillway'), { rollsOut: true })).toBe('done');
  });

  it('a pod that comes to the add-on’s node after all is told, and not chased', () => {
    expect(step(many(2), { known: new Set(['uid-old-0']) })).toBe('returns');
  });

  it('says what it waits for', () => {
    expect(trouble(addOnPod('old', { deleting: true }))).toContain('pod old is being deleted and does not end');
    const message = '0/3 nodes are available';
    expect(trouble(addOnPod('new', { nodeName: '', ready: false, phase: 'Pending', message }))).toBe(
      'pod new is not ready: 0/3 nodes are available',
    );
    expect(trouble(addOnPod('old'))).toBe('its owner has not created new pods');
  });
});
