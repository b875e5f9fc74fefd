import { fc, test } from '@fast-check/vitest';
import type { Deployment, Job, KubeObject, ObjectMeta, Pod, Toleration } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { burstLabelOf, burstLabels, burstValues } from '../../podspec/contract.ts';
import { at } from './admitted.ts';
import { evaluate } from './evaluate.ts';
import { applyPatch } from './json-patch.ts';
import { templatePaths } from './rules.ts';
import type { ScheduleProfile } from './schedule-profile.ts';
import { generatedPod, generatedProfiles, generatedWorkload } from '../testing/generate.ts';
import { unknownValues } from './unknown-value.ts';

const [label, alias] = burstLabels;
const fromKubernetes: readonly Toleration[] = ['not-ready', 'unreachable'].map((state) => ({
  key: `node.kubernetes.io/${state}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));
const unlimited = fromKubernetes.map(({ tolerationSeconds: _seconds, ...toleration }) => toleration);
const burstToleration = {
  key: 'virtual-kubelet.io/burst-to-cci',
  operator: 'Equal',
  value: 'cci',
  effect: 'NoSchedule',
};
const avoidance = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'type', operator: 'NotIn', values: ['virtual-kubelet'] }] }],
    },
  },
};

const pod = (labels: Record<string, string> | undefined, spec: Partial<Pod['spec']> = {}): Pod => ({
  kind: 'Pod',
  metadata: labels ? { labels } : {},
  spec: { containers: [], schedulerName: 'default-scheduler', tolerations: [...fromKubernetes], ...spec },
});

const created = <T extends KubeObject>(object: T, profiles: readonly ScheduleProfile[] = []): T =>
  applyPatch(object, evaluate({ operation: 'CREATE', object }, profiles));

const profile = (
  name: string,
  matchLabels: Record<string, string>,
  more: Partial<ScheduleProfile['spec']> = {},
  creationTimestamp = '2026-01-01T00:00:00Z',
): ScheduleProfile => ({
  metadata: { name, creationTimestamp },
  spec: { objectLabels: { matchLabels }, strategy: 'enforce', ...more },
});

const winner = (...profiles: readonly ScheduleProfile[]): string | undefined =>
  created(pod({ app: 'web', tier: 'front' }), profiles).metadata?.annotations?.['scheduling.cci.io/managed-by-profile'];

const deployment = (
  labels: Record<string, string> | undefined,
  template: Record<string, string> = { app: 'web' },
): Deployment => ({
  kind: 'Deployment',
  metadata: labels ? { labels } : {},
  spec: { selector: {}, template: { metadata: { labels: template } } },
});

const updated = <T extends KubeObject>(oldObject: T, object: T): T =>
  applyPatch(object, evaluate({ operation: 'UPDATE', object, oldObject }));

describe('a pod', () => {
  it('with auto is as it was written: who knows the pools lets it in', () => {
    expect(created(pod({ [label]: 'auto' })).spec).toEqual({
      containers: [],
      schedulerName: 'default-scheduler',
      tolerations: fromKubernetes,
    });
  });

  it('with localPrefer is marked, and the scheduler sees nothing of it', () => {
    const { metadata, spec } = created(pod({ [label]: 'localPrefer' }));
    expect(metadata?.annotations).toEqual({ 'spillway.dev/prefer-local': 'true' });
    expect(spec).toEqual({ containers: [], schedulerName: 'default-scheduler', tolerations: fromKubernetes });
  });

  it('with enforce can only be placed on a virtual node, by our scheduler', () => {
    expect(created(pod({ [alias]: 'enforce' })).spec).toEqual({
      containers: [],
      schedulerName: 'spillway',
      nodeSelector: { type: 'virtual-kubelet' },
      tolerations: [
        ...unlimited,
        burstToleration,
        { key: 'virtual-kubelet.io/huawei', operator: 'Exists', effect: 'PreferNoSchedule' },
      ],
    });
  });

  it('keeps a scheduler, a node selector and a time limit of its own', () => {
    const own = {
      schedulerName: 'volcano',
      nodeSelector: { type: 'mine' },
      tolerations: fromKubernetes.map((toleration) => ({ ...toleration, tolerationSeconds: 7 })),
    };
    expect(created(pod({ [label]: 'enforce' }, own)).spec).toMatchObject({
      schedulerName: 'volcano',
      nodeSelector: { type: 'mine' },
      tolerations: [...own.tolerations, burstToleration, {}],
    });
  });

  it('with off is kept away from virtual nodes in every term of its affinity that matches any node', () => {
    expect(created(pod({ [label]: 'off' })).spec?.affinity).toEqual(avoidance);
    const zone = { key: 'zone', operator: 'In', values: ['a'] };
    const name = { key: 'metadata.name', operator: 'In', values: ['node-1'] };
    const terms = [{ matchExpressions: [zone] }, { matchFields: [name] }, {}];
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } };
    const [avoid] = avoidance.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
    expect(
      created(pod({ [label]: 'off' }, { affinity })).spec?.affinity?.nodeAffinity
        ?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
    ).toEqual([
      { matchExpressions: [zone, ...(avoid?.matchExpressions ?? [])] },
      { matchFields: [name], matchExpressions: avoid?.matchExpressions },
      {},
    ]);
  });

  it('without the label that tolerates everything is kept away, unless it is of a DaemonSet or has its node', () => {
    const tolerations = [{ operator: 'Exists' }];
    const stray = pod(undefined, { tolerations });
    expect(created(stray).spec?.affinity).toEqual(avoidance);
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: '1', controller: true };
    for (const spared of [
      { ...stray, metadata: { ownerReferences: [owner] } },
      pod(undefined, { tolerations, nodeName: 'node-1' }),
      pod(undefined, { tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] }),
    ]) {
      expect(created(spared)).toEqual(spared);
    }
  });

  it('without the label, or with an unknown value, is left as it is', () => {
    for (const untouched of [pod(undefined), pod({ app: 'web' }), pod({ [label]: 'Auto' })]) {
      expect(created(untouched)).toEqual(untouched);
    }
  });
});

describe('a ScheduleProfile', () => {
  it('is to a pod without label as if it had the label', () => {
    const { metadata, spec } = created(pod({ app: 'web' }), [profile('web', { app: 'web' })]);
    expect(metadata?.labels).toEqual({ app: 'web', [label]: 'enforce' });
    expect(metadata?.annotations).toMatchObject({ 'scheduling.cci.io/managed-by-profile': 'web' });
    expect(spec).toMatchObject({ schedulerName: 'spillway', nodeSelector: { type: 'virtual-kubelet' } });
    expect(spec?.schedulingGates).toBeUndefined();
  });

  it('gates the pod when it limits how many there may be', () => {
    const limited = profile('web', { app: 'web' }, { location: { local: { maxNum: 2 } }, strategy: 'localPrefer' });
    const schedulingGates = [{ name: 'example.org/gate' }];
    expect(created(pod({ app: 'web' }, { schedulingGates }), [limited]).spec?.schedulingGates).toEqual([
      { name: 'example.org/gate' },
      { name: 'spillway.dev/schedule-profile' },
    ]);
  });

  it('with enforce keeps the pod to the types of virtual nodes that it names, whichever scheduler places it', () => {
    const types = (...names: readonly string[]): ScheduleProfile =>
      profile('web', { app: 'web' }, { virtualNodes: names.map((type) => ({ type })) });
    const keptTo = (one: ScheduleProfile): unknown =>
      created(pod({ app: 'web' }, { schedulerName: 'volcano' }), [one]).spec?.affinity;
    expect(keptTo(types('gpu', 'big'))).toEqual({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'bursting.cci.io/node-type', operator: 'In', values: ['gpu', 'big'] }] },
          ],
        },
      },
    });
    expect([types(), types('gpu', 'bursting-node')].map(keptTo)).toEqual([undefined, undefined]);
    const preferLocal = profile('web', { app: 'web' }, { strategy: 'localPrefer', virtualNodes: [{ type: 'gpu' }] });
    expect(keptTo(preferLocal)).toBeUndefined();
    // Of the profiles that match only the one that decides.
    const better = profile('front', { app: 'web', tier: 'front' });
    expect(created(pod({ app: 'web', tier: 'front' }), [types('gpu'), better]).spec?.affinity).toBeUndefined();
    expect(created(pod({ app: 'web', [label]: 'enforce' }), [types('gpu')]).spec?.affinity).toBeUndefined();
  });

  it('gives way to the label of the pod, off included', () => {
    const own = pod({ app: 'web', [label]: 'off' });
    expect(created(own, [profile('web', { app: 'web' })])).toEqual(created(own));
  });

  it('wins by more labels, then by age', () => {
    const young = profile('a-young', { app: 'web' }, {}, '2026-03-01T00:00:00Z');
    const old = profile('b-old', { tier: 'front' });
    const more = profile('c-more', { app: 'web', tier: 'front' }, {}, '2026-04-01T00:00:00Z');
    expect(winner(young, old)).toBe('b-old');
    expect(winner(young, old, more)).toBe('c-more');
    expect(winner(profile('other', { app: 'db' }))).toBeUndefined();
  });
});

describe('a workload', () => {
  it('hands its label to its pods, and remembers that it did', () => {
    const { metadata, spec } = created(deployment({ [label]: 'auto' }));
    expect(spec?.template.metadata?.labels).toEqual({ app: 'web', [label]: 'auto' });
    expect(metadata?.annotations).toEqual({ 'spillway.dev/burst-label-copied': 'auto' });
  });

  it('gets template metadata when it has none', () => {
    const job: Job = { kind: 'Job', metadata: { labels: { [alias]: 'enforce' } }, spec: { template: {} } };
    expect(created(job).spec?.template.metadata).toEqual({ labels: { [label]: 'enforce' } });
  });

  it('hands it to the pods of the Jobs of a CronJob', () => {
    const cronJob = {
      kind: 'CronJob',
      metadata: { labels: { [label]: 'auto' } },
      spec: { schedule: '* * * * *', jobTemplate: { spec: { template: {} } } },
    };
    expect(created(cronJob).spec.jobTemplate.spec.template).toEqual({ metadata: { labels: { [label]: 'auto' } } });
  });

  it('keeps the value that the user wrote in the template', () => {
    const own = deployment({ [label]: 'auto' }, { [alias]: 'off' });
    expect(created(own)).toEqual(own);
  });

  it('is left alone when a controller owns it', () => {
    const owner = { apiVersion: 'example.org/v1', kind: 'App', name: 'a', uid: '1', controller: true };
    const owned = {
      ...deployment({ [label]: 'auto' }),
      metadata: { labels: { [label]: 'auto' }, ownerReferences: [owner] },
    };
    expect(created(owned)).toEqual(owned);
  });

  it('from before is not changed by an update that leaves the label as it is', () => {
    const before = deployment({ [label]: 'auto' });
    const annotated = { ...before, metadata: { ...before.metadata, annotations: { note: 'x' } } };
    expect(updated(before, annotated)).toEqual(annotated);
  });

  it('follows a change of its label, and takes its copy back with it', () => {
    const plain = deployment(undefined);
    const auto = updated(plain, deployment({ [label]: 'auto' }));
    expect(auto.spec?.template.metadata?.labels).toEqual({ app: 'web', [label]: 'auto' });
    const relabelled = (labels: Record<string, string>): Deployment => ({
      ...auto,
      metadata: { ...auto.metadata, labels },
    });
    const enforced = updated(auto, relabelled({ [label]: 'enforce' }));
    expect(enforced.spec?.template.metadata?.labels?.[label]).toBe('enforce');
    const without = updated(auto, relabelled({}));
    expect(without.spec).toEqual(plain.spec);
    expect(without.metadata?.annotations).toEqual({});
  });

  it('of kind Job is never changed after its creation', () => {
    const job: Job = { kind: 'Job', metadata: {}, spec: { template: {} } };
    const labelled = { ...job, metadata: { labels: { [label]: 'auto' } } };
    expect(updated(job, labelled)).toEqual(labelled);
  });
});

describe('an unknown value', () => {
  it('is refused with those that there are, on the object and in its template', () => {
    const object: KubeObject & Pick<Deployment, 'spec'> = {
      kind: 'Deployment',
      metadata: { labels: { [label]: 'Auto' } },
      spec: { selector: {}, template: { metadata: { labels: { [alias]: '' } } } },
    };
    expect(unknownValues({ operation: 'CREATE', object })).toEqual([
      'metadata.labels: "Auto" is not a valid value of the burst label (virtual-kubelet.io/burst-to-cci); it must be one of auto, localPrefer, enforce, off',
      'spec.template.metadata.labels: "" is not a valid value of the burst label (virtual-kubelet.io/burst-to-cci); it must be one of auto, localPrefer, enforce, off',
    ]);
    expect(unknownValues({ operation: 'UPDATE', object, oldObject: object })).toEqual([]);
  });
});

const labelsIn = (object: KubeObject): Record<string, string> =>
  at<ObjectMeta>(object, [...(templatePaths.get(object.kind ?? '') ?? []), 'metadata'])?.labels ?? {};

const userWrote = ({ metadata, spec }: Pod): object => ({
  ...(metadata?.labels ? { labels: metadata.labels } : {}),
  ...(metadata?.annotations ? { annotations: metadata.annotations } : {}),
  ...(spec?.nodeSelector ? { nodeSelector: spec.nodeSelector } : {}),
  ...(spec?.schedulerName === 'volcano' ? { schedulerName: 'volcano' } : {}),
});

test.prop([generatedPod, generatedProfiles])('what the user wrote in a pod stays', (object, profiles) => {
  const result = created(object, profiles);
  expect({ ...result.metadata, ...result.spec }).toMatchObject(userWrote(object));
  const own = (object.spec?.tolerations ?? []).filter(({ tolerationSeconds }) => tolerationSeconds !== 300);
  expect(result.spec?.tolerations ?? []).toEqual(expect.arrayContaining(own));
  const { preferredDuringSchedulingIgnoredDuringExecution: preferred } = object.spec?.affinity?.nodeAffinity ?? {};
  expect(result.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution).toEqual(preferred);
});

test.prop([fc.oneof(generatedPod, generatedWorkload), generatedProfiles])('twice is as once', (object, profiles) => {
  const once = created(object, profiles);
  expect(created(once, profiles)).toEqual(once);
});

test.prop([generatedWorkload])('what the user wrote in a template stays', (object) => {
  const result = created(object);
  expect(labelsIn(result)).toMatchObject(labelsIn(object));
  const own = burstLabelOf(object.metadata?.labels);
  const known: readonly (string | undefined)[] = burstValues;
  if (burstLabelOf(labelsIn(object)).kind !== 'absent') expect(labelsIn(result)).toEqual(labelsIn(object));
  else if (own.kind === 'valid' && !object.metadata?.ownerReferences)
    expect(known).toContain(labelsIn(result)[burstLabels[0]]);
});
