import { describe, expect, it } from 'vitest';
import { testPod } from '../testing/objects.ts';
import { testProfile } from '../testing/profiles.ts';
import { liftPatch } from './lift.ts';

const profile = testProfile('web', {
  location: { local: { maxNum: 5, scaleDownPriority: 10 }, cci: { maxNum: 5 } },
});
const strategy = 'localPrefer';
const gate = { schedulingGates: [{ $patch: 'delete', name: 'spillway.dev/schedule-profile' }] };
const away = { key: 'type', operator: 'NotIn', values: ['virtual-kubelet'] };

describe('the gate of a pod is lifted', () => {
  it('with what keeps it on real nodes, in one write, for exactly this version of the pod', () => {
    expect(liftPatch(testPod({ uid: 'u' }), { side: 'local', profile, strategy, closed: [] })).toEqual({
      metadata: {
        uid: 'u',
        resourceVersion: '7',
        annotations: {
          'scheduling.cci.io/managed-by-profile': 'web',
          'spillway.dev/profile-side': 'local',
          'controller.kubernetes.io/pod-deletion-cost': '-10',
        },
      },
      spec: {
        ...gate,
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [away] }] },
          },
        },
      },
    });
  });

  it('without keeping it there when the other side has no limit: it may burst for lack of room', () => {
    const open = testProfile('web', { location: { local: { maxNum: 5 } } });
    expect(liftPatch(testPod({ uid: 'u' }), { side: 'local', profile: open, strategy, closed: [] })).toMatchObject({
      spec: gate,
    });
    expect(liftPatch(testPod(), { side: 'local', profile: open, strategy, closed: [] })).not.toHaveProperty(
      'spec.affinity',
    );
    expect(liftPatch(testPod(), { side: 'local', profile: open, strategy: 'off', closed: [] })).toHaveProperty(
      'spec.affinity',
    );
  });

  it('with what keeps a pod from the nodes of pools that do not run it', () => {
    const patch = liftPatch(testPod({}), { side: 'cci', profile, strategy, closed: ['vk-2'] });
    const expression = { key: 'kubernetes.io/hostname', operator: 'NotIn', values: ['vk-2'] };
    const nodeSelectorTerms = [{ matchExpressions: [expression] }];
    expect(patch).toMatchObject({
      spec: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } },
    });
  });

  it('by tightening every term of its affinity; a term that matches nothing stays so', () => {
    const fields = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] };
    const ssd = { key: 'disk', operator: 'In', values: ['ssd'] };
    const nodeSelectorTerms = [{ matchExpressions: [ssd] }, fields, {}];
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
    expect(liftPatch(testPod({ spec: { affinity } }), { side: 'local', profile, strategy, closed: [] })).toMatchObject({
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [ssd, away] }, { ...fields, matchExpressions: [away] }, {}],
            },
          },
        },
      },
    });
  });

  it('with what lets it to a virtual node and nowhere else', () => {
    const tolerations = [{ key: 'own', operator: 'Exists' }];
    expect(liftPatch(testPod({ spec: { tolerations } }), { side: 'cci', profile, strategy, closed: [] })).toMatchObject(
      {
        metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-100' } },
        spec: {
          ...gate,
          nodeSelector: { type: 'virtual-kubelet' },
          tolerations: [
            { key: 'own', operator: 'Exists' },
            { key: 'virtual-kubelet.io/burst-to-cci', operator: 'Exists', effect: 'NoSchedule' },
            { key: 'virtual-kubelet.io/huawei', operator: 'Exists', effect: 'PreferNoSchedule' },
          ],
        },
      },
    );
  });

  it('with what keeps it to the types of virtual nodes that its profile names, once, also where admission has done so', () => {
    const types = testProfile('web', { virtualNodes: [{ type: 'gpu' }, { type: 'big' }] });
    const kept = {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'bursting.cci.io/node-type', operator: 'In', values: ['gpu', 'big'] }] },
            ],
          },
        },
      },
    };
    expect(liftPatch(testPod({}), { side: 'cci', profile: types, strategy, closed: [] })).toMatchObject({ spec: kept });
    expect(liftPatch(testPod({ spec: kept }), { side: 'cci', profile: types, strategy, closed: [] })).toMatchObject({
      spec: kept,
    });
    expect(
      JSON.stringify(liftPatch(testPod({}), { side: 'local', profile: types, strategy, closed: [] })),
    ).not.toContain('node-type');
    const any = testProfile('web', { virtualNodes: [{ type: 'gpu' }, { type: 'bursting-node' }] });
    expect(JSON.stringify(liftPatch(testPod({}), { side: 'cci', profile: any, strategy, closed: [] }))).not.toContain(
      'node-type',
    );
  });

  it("without touching a node selector or a deletion cost of the user's", () => {
    const annotations = { 'controller.kubernetes.io/pod-deletion-cost': '3' };
    const patch = liftPatch(testPod({ metadata: { annotations }, spec: { nodeSelector: { type: 'gpu' } } }), {
      side: 'cci',
      profile,
      strategy,
      closed: [],
    });
    expect(JSON.stringify(patch)).not.toMatch(/nodeSelector|deletion-cost/);
  });

  it('and nothing else when no profile has a limit for it any more', () => {
    expect(liftPatch(testPod({ uid: 'u' }), undefined)).toEqual({
      metadata: { uid: 'u', resourceVersion: '7' },
      spec: gate,
    });
  });
});
