import type { Pod } from '@spillway/kube';
import { expect, it } from 'vitest';
import { sized, specOf } from '../testing/sized-specs.ts';
import { asSized } from './sized-pod.ts';

const resourcesOf = ({ spec }: Pod): unknown[] =>
  [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ resources }) => resources);

it('requests and limits of every container are its size', () => {
  const pod = { spec: specOf('A 300m/300Mi, 100m/100Mi + init I 2/3Gi') };
  const [a, i] = [
    { cpu: '500m', memory: '4Gi' },
    { cpu: '2', memory: '3Gi' },
  ];
  expect(resourcesOf(asSized(pod, sized(pod, 'cci')))).toEqual([
    { requests: a, limits: a },
    { requests: i, limits: i },
  ]);
});

it('a BestEffort container stays one, and what has no CPU gets none', () => {
  const pod = { spec: specOf('A 1/2Gi + B - + C -/2Gi') };
  expect(resourcesOf(asSized(pod, sized(pod, 'cci'))).slice(1)).toEqual([
    { requests: {}, limits: {} },
    { requests: { memory: '2Gi' }, limits: { memory: '2Gi' } },
  ]);
});

it('amounts of zero are none: CCI takes no request without its limit', () => {
  const resources = { requests: { cpu: '0', memory: '0' } };
  const pod = {
    spec: {
      containers: [
        { name: 'app', resources: { limits: { cpu: '1' } } },
        { name: 'idle', resources },
      ],
    },
  };
  expect(resourcesOf(asSized(pod, sized(pod, 'cci')))[1]).toEqual({ requests: {}, limits: {} });
});

it('other resources stay as they were written', () => {
  const limits = { cpu: '1', memory: '2Gi', 'ephemeral-storage': '5Gi' };
  const pod = { spec: { containers: [{ name: 'app', resources: { limits } }] } };
  expect(resourcesOf(asSized(pod, sized(pod, 'cci')))).toEqual([{ requests: { cpu: '1', memory: '2Gi' }, limits }]);
});

it.each(['none', 'cci2'] as const)('%s leaves the containers as they were written', (rules) => {
  const pod = { spec: specOf('1/2Gi, 300m/300Mi') };
  expect(asSized(pod, sized(pod, rules))).toBe(pod);
});

it('the pod of the cluster is not touched', () => {
  const pod = { spec: specOf('100m/100Mi') };
  const before = structuredClone(pod);
  asSized(pod, sized(pod, 'cci'));
  expect(pod).toEqual(before);
});
