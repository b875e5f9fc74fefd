import type { KubeObject, Pod } from '@spillway/kube';
import * as fc from 'fast-check';
import { burstLabels, burstTaint, burstValues, nodeTypeLabel, virtualNodeType } from '../../podspec/contract.ts';
import { parseJson } from '../rules/admitted.ts';
import type { ScheduleProfile } from '../rules/schedule-profile.ts';

// Pods and workloads that an API server accepts, dense with what the rules look at.

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 2 });

const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

/** Without the keys that are undefined, as objects are sent. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
const sent = <T>(object: object): T => parseJson(JSON.stringify(object));

const burstValue = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...burstValues) },
  fc.constantFrom('', 'Auto', 'true'),
);
const appLabels = fc.record({ app: fc.constantFrom('web', 'db'), tier: maybe(fc.constantFrom('front', 'back')) });

const labels = fc
  .record({ app: appLabels, first: maybe(burstValue), alias: maybe(burstValue) })
  .map(({ app, first, alias }) => ({
    ...app,
    ...(first === undefined ? {} : { [burstLabels[0]]: first }),
    ...(alias === undefined ? {} : { [burstLabels[1]]: alias }),
  }));

const toleration = fc.constantFrom(
  { operator: 'Exists' },
  { operator: 'Exists', effect: 'NoSchedule' },
  { operator: 'Exists', effect: 'NoExecute' },
  { key: burstTaint.key, operator: 'Exists' },
  { key: burstTaint.key, operator: 'Equal', value: burstTaint.value, effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 7 },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists' },
  { key: 'other', operator: 'Exists', effect: 'NoSchedule' },
);

const requirement = fc.constantFrom(
  { key: 'zone', operator: 'In', values: ['a'] },
  { key: virtualNodeType.key, operator: 'NotIn', values: [virtualNodeType.value, 'other'] },
  { key: virtualNodeType.key, operator: 'Exists' },
  { key: nodeTypeLabel, operator: 'In', values: ['gpu'] },
  { key: nodeTypeLabel, operator: 'In', values: ['gpu', 'other'] },
);
const term = fc.record({
  matchExpressions: maybe(fc.array(requirement, { maxLength: 2 })),
  matchFields: maybe(fc.constant([{ key: 'metadata.name', operator: 'In', values: ['node-1'] }])),
});
const nodeAffinity = fc.record({
  requiredDuringSchedulingIgnoredDuringExecution: maybe(
    fc.record({ nodeSelectorTerms: fc.array(term, { minLength: 1, maxLength: 3 }) }),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: maybe(
    fc.constant([{ weight: 1, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } }]),
  ),
});

const podSpec = fc.record({
  automountServiceAccountToken: fc.constant(false),
  containers: fc.constant([{ name: 'main', image: 'busybox' }]),
  tolerations: maybe(fc.array(toleration, { maxLength: 3 })),
  nodeSelector: maybe(fc.constantFrom({ zone: 'a' }, { [virtualNodeType.key]: 'mine' })),
  affinity: maybe(fc.record({ nodeAffinity: maybe(nodeAffinity) })),
  schedulerName: maybe(fc.constantFrom('volcano', 'default-scheduler')),
  schedulingGates: maybe(fc.constant([{ name: 'example.org/gate' }])),
});

const annotations = maybe(fc.constant({ note: 'ünï/cødé ~1' }));

const owner = (kind: string): fc.Arbitrary<object[] | undefined> =>
  rarely(fc.constant([{ apiVersion: 'apps/v1', kind, name: 'owner', uid: 'uid-1', controller: true }]));

export const generatedPod: fc.Arbitrary<Pod> = fc
  .record({
    labels: maybe(labels),
    annotations,
    ownerReferences: owner('DaemonSet'),
    spec: podSpec,
    nodeName: rarely(fc.constant('node-1')),
  })
  .map(({ spec, nodeName, ...metadata }) => {
    const bound =
      nodeName !== undefined && metadata.ownerReferences === undefined && spec.schedulingGates === undefined;
    return sent<Pod>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'generated', ...metadata },
      spec: { ...spec, ...(bound ? { nodeName } : {}) },
    });
  });

const template = fc.record({ labels, annotations, spec: podSpec });

export const generatedWorkload: fc.Arbitrary<KubeObject> = fc
  .record({
    kind: fc.constantFrom('Deployment', 'StatefulSet', 'Job', 'CronJob'),
    labels: maybe(labels),
    annotations,
    ownerReferences: owner('Operator'),
    template,
  })
  .map(({ kind, template: { spec, ...templateMetadata }, ...metadata }) => {
    const isJob = kind === 'Job' || kind === 'CronJob';
    const podTemplate = { metadata: templateMetadata, spec: isJob ? { ...spec, restartPolicy: 'Never' } : spec };
    const specs: Readonly<Record<string, object>> = {
      Deployment: {
        replicas: 2,
        selector: { matchLabels: { app: templateMetadata.labels.app } },
        template: podTemplate,
      },
      StatefulSet: {
        serviceName: 's',
        selector: { matchLabels: { app: templateMetadata.labels.app } },
        template: podTemplate,
      },
      Job: { template: podTemplate },
      CronJob: { schedule: '* * * * *', jobTemplate: { spec: { template: podTemplate } } },
    };
    return sent<KubeObject>({
      apiVersion: isJob ? 'batch/v1' : 'apps/v1',
      kind,
      metadata: { name: 'generated', ...metadata },
      spec: specs[kind],
    });
  });

export const generatedProfiles: fc.Arbitrary<readonly ScheduleProfile[]> = fc
  .array(
    fc.record({
      matchLabels: fc.constantFrom({ app: 'web' }, { tier: 'front' }, { app: 'web', tier: 'front' }, { app: 'db' }),
      strategy: fc.constantFrom('auto' as const, 'localPrefer' as const, 'enforce' as const),
      maxNum: maybe(fc.nat(20)),
      virtualNodes: maybe(
        fc.array(fc.record({ type: fc.constantFrom('gpu', 'big', 'bursting-node') }), { maxLength: 3 }),
      ),
    }),
    { maxLength: 4 },
  )
  .map((profiles) =>
    profiles.map(({ matchLabels, strategy, maxNum, virtualNodes }, index) =>
      sent<ScheduleProfile>({
        metadata: { name: `profile-${index}`, creationTimestamp: `2026-01-0${(index % 2) + 1}T00:00:00Z` },
        spec: { objectLabels: { matchLabels }, strategy, location: { cci: { maxNum } }, virtualNodes },
      }),
    ),
  );
