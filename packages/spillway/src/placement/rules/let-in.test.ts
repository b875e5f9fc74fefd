import type { Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { burstTaint, preferTaint } from '../../podspec/contract.ts';
import { passed, refused } from '../../podspec/fit/fields.ts';
import { fitOf, type Pool } from '../../podspec/fit/fit.ts';
import { unknownSupport } from '../../podspec/fit/support.ts';
import { testPod, virtualNode } from '../testing/objects.ts';
import { applyPatch } from './json-patch.ts';
import { letIn } from './let-in.ts';

const pool = (name: string, more: Partial<Pool> = {}): Pool => ({
  name,
  nodeName: `vk-${name}`,
  taints: [burstTaint, preferTaint],
  support: unknownSupport,
  sizing: 'none',
  ...more,
});
const takes = pool('takes');
const fields = { '*': passed, containers: refused('field-not-offered') };
const refuses = pool('refuses', { support: { ...unknownSupport, fields } });

const entrance = { ...burstTaint, operator: 'Equal' };
const apart = (...values: readonly string[]): object => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'NotIn', values }] }],
    },
  },
});

/** What becomes of the pod's tolerations and affinity. */
function admitted(pod: Pod, ...pools: readonly Pool[]): object {
  const fits = pools.map((each) => ({ pool: each, fit: fitOf(pod, each, { node: virtualNode(each.nodeName) }) }));
  const { tolerations, affinity } = applyPatch(pod, letIn(pod, fits)).spec ?? {};
  return { ...(tolerations && { tolerations }), ...(affinity && { affinity }) };
}

const auto = testPod({ burst: 'auto' });
const tolerant = (burst?: string): Pod =>
  testPod({
    ...(burst !== undefined && { burst }),
    spec: { tolerations: [{ key: burstTaint.key, operator: 'Exists' }] },
  });

describe('a pod with auto', () => {
  it('is let in when a pool runs it', () => {
    expect(admitted(auto, takes)).toEqual({ tolerations: [entrance] });
  });

  it('is not let in when no pool runs it, or there is none', () => {
    expect(admitted(auto, refuses)).toEqual({});
    expect(admitted(auto)).toEqual({});
  });

  it('is kept from the nodes of pools that do not run it', () => {
    expect(admitted(auto, refuses, takes, { ...refuses, nodeName: 'vk-too' })).toEqual({
      tolerations: [entrance],
      affinity: apart('vk-refuses', 'vk-too'),
    });
  });

  it('that other admission has changed since is looked at again', () => {
    const before = applyPatch(auto, letIn(auto, [{ pool: takes, fit: fitOf(auto, takes) }]));
    expect(admitted(before, refuses)).toMatchObject({ affinity: apart('vk-refuses') });
  });
});

describe('a pod that tolerates the taints by itself', () => {
  it.each([undefined, 'localPrefer', 'auto'])('is kept from pools that do not run it (label %s)', (burst) => {
    expect(admitted(tolerant(burst), refuses)).toMatchObject({ affinity: apart('vk-refuses') });
    expect(admitted(tolerant(burst), takes)).not.toHaveProperty('affinity');
  });

  it('is left alone where it does not tolerate all the taints of the pool', () => {
    const other = { ...refuses, taints: [{ key: 'team', effect: 'NoSchedule' }] };
    expect(admitted(tolerant(), other)).not.toHaveProperty('affinity');
  });

  it('must burst, or must not: its own scheduler and its selectors do that', () => {
    for (const burst of ['enforce', 'off']) expect(admitted(tolerant(burst), refuses)).not.toHaveProperty('affinity');
  });
});

it('pods that any node may get are kept from untainted nodes of pools that do not run them', () => {
  expect(admitted(testPod(), { ...refuses, taints: [] })).toEqual({ affinity: apart('vk-refuses') });
});

it('pods that are placed already are left alone', () => {
  expect(admitted({ ...auto, spec: { containers: [], nodeName: 'vk' } }, takes)).toEqual({});
});
