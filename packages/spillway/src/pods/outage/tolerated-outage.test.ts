import type { Pod, Toleration } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { defaultsOf, unlimitedTolerations, usualTolerationSeconds } from './tolerated-outage.ts';

const outage = (taint: string, tolerationSeconds?: number): Toleration => ({
  key: `node.kubernetes.io/${taint}`,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});
const burst: Toleration = { key: 'virtual-kubelet.io/burst-to-cci', operator: 'Exists', effect: 'NoSchedule' };
const pod = (tolerations: Toleration[]): Pod => ({
  metadata: { uid: 'u1' },
  spec: { containers: [], tolerations },
});

describe('the tolerations of a pod', () => {
  it('that the API server added lose their limit, on this pod and these tolerations only', () => {
    const patch = unlimitedTolerations(
      pod([burst, outage('not-ready', 300), outage('unreachable', 300)]),
      usualTolerationSeconds,
    );
    expect(patch).toEqual([
      { op: 'test', path: '/metadata/uid', value: 'u1' },
      { op: 'test', path: '/spec/tolerations/1', value: outage('not-ready', 300) },
      { op: 'remove', path: '/spec/tolerations/1/tolerationSeconds' },
      { op: 'test', path: '/spec/tolerations/2', value: outage('unreachable', 300) },
      { op: 'remove', path: '/spec/tolerations/2/tolerationSeconds' },
    ]);
  });

  it.each<[string, Toleration[]]>([
    ['have no limit', [outage('not-ready'), outage('unreachable')]],
    ['have a limit that their author has chosen', [outage('not-ready', 60), outage('unreachable', 0)]],
    ['are for other taints', [burst, { ...outage('memory-pressure', 300) }]],
    ['are for any effect or for one value', [{ ...outage('not-ready', 300), operator: 'Equal', value: 'x' }]],
    ['are not there', []],
  ])('that %s stay as they are', (_, tolerations) => {
    expect(unlimitedTolerations(pod(tolerations), usualTolerationSeconds)).toBeUndefined();
  });

  it('are of no interest any more when it is being deleted', () => {
    const { metadata, ...rest } = pod([outage('not-ready', 300)]);
    const deleted = { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-05-01T10:00:00Z' } };
    expect(unlimitedTolerations(deleted, usualTolerationSeconds)).toBeUndefined();
  });

  it('are compared with what this API server writes', () => {
    const defaults = defaultsOf(pod([outage('not-ready', 30), outage('unreachable', 40), burst]));
    const patched = (tolerations: Toleration[]): boolean =>
      unlimitedTolerations(pod(tolerations), defaults) !== undefined;
    expect(patched([outage('not-ready', 30)])).toBe(true);
    expect(patched([outage('unreachable', 40)])).toBe(true);
    expect(patched([outage('not-ready', 300), outage('unreachable', 30)])).toBe(false);
  });
});
