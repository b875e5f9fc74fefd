import { expect, it } from 'vitest';
import { burstLabelOf } from './contract.ts';

it.each([
  [undefined, { kind: 'absent' }],
  [{ app: 'web' }, { kind: 'absent' }],
  [
    { 'virtual-kubelet.io/burst-to-cci': 'localPrefer' },
    { kind: 'valid', label: 'virtual-kubelet.io/burst-to-cci', value: 'localPrefer' },
  ],
  [{ 'bursting.cci.io/burst-to-cci': 'off' }, { kind: 'valid', label: 'bursting.cci.io/burst-to-cci', value: 'off' }],
  [
    { 'bursting.cci.io/burst-to-cci': 'off', 'virtual-kubelet.io/burst-to-cci': 'auto' },
    { kind: 'valid', label: 'virtual-kubelet.io/burst-to-cci', value: 'auto' },
  ],
  [
    { 'virtual-kubelet.io/burst-to-cci': 'Auto' },
    { kind: 'invalid', label: 'virtual-kubelet.io/burst-to-cci', text: 'Auto' },
  ],
])('the burst label of %j', (labels, expected) => {
  expect(burstLabelOf(labels)).toEqual(expected);
});
