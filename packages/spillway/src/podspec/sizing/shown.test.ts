import { expect, it } from 'vitest';
import { sized, specOf } from '../testing/sized-specs.ts';
import type { RuleSetName } from './rule-sets.ts';
import { quantitiesText, sizeAnnotations, sizeNotices } from './shown.ts';

const sizedAs = (text: string, rules: RuleSetName): ReturnType<typeof sized> => sized({ spec: specOf(text) }, rules);

it.each([
  ['500m/1Gi', 'cci', '0.5u', '1Gi'],
  ['250m/1Gi', 'cci', '0.25u', '1Gi'],
  ['2/4Gi', 'cci', '2u', '4Gi'],
  ['1500m/4Gi', 'cci', '1.5u', '4Gi'],
  ['250m/512Mi', 'cci2', '0.25u', '512Mi'],
] as const)('%s is shown on the pod as the CCE add-on shows it', (written, rules, cpu, memory) => {
  expect(sizeAnnotations(sizedAs(written, rules))).toEqual({
    'virtual-kubelet.cci.io/burst-pod-cpu': cpu,
    'virtual-kubelet.cci.io/burst-pod-memory': memory,
  });
});

it.each([
  ['0.5u', '1Gi', '0.5 CPU, 1 GiB'],
  ['500m', '1024Mi', '0.5 CPU, 1 GiB'],
  ['2', '1536Mi', '2 CPU, 1536 MiB'],
  ['0', '0', '0 CPU, 0 B'],
  ['1', '214748365', '1 CPU, 204.8 MiB'],
  ['1', '1k', '1 CPU, 1000 B'],
  ['much', '1Gi', 'much CPU, 1Gi'],
])('CPU %s and memory %s are shown to people as %s', (cpu, memory, text) => {
  expect(quantitiesText({ cpu, memory })).toBe(text);
});

it('a pod that runs as it was written is not annotated', () => {
  expect(sizeAnnotations(undefined)).toEqual({});
});

const messages = (text: string, rules: RuleSetName): string[] =>
  sizeNotices(sizedAs(text, rules)).map(({ message }) => message);

it('an event says what was added, to which container and why', () => {
  expect(messages('web 100m/300Mi + log 250m/100Mi', 'cci')).toEqual([
    'The pod runs with cpu 500m, memory 1Gi instead of the specified cpu 350m, memory 400Mi. ' +
      'Container web got cpu 150m more: containers have cpu in steps of 250m and at least 204.8Mi of memory. ' +
      'Container log got memory 104.8Mi more: containers have cpu in steps of 250m and at least 204.8Mi of memory. ' +
      'Container web got memory 519.2Mi more: pods have cpu in steps of 250m, memory in steps of 1Gi, and 2Gi to 8Gi of memory for each CPU.',
  ]);
});

it('where containers share what was added, it says so', () => {
  expect(messages('6/15Gi', 'cci2')).toEqual([
    'The pod runs with cpu 8, memory 16Gi instead of the specified cpu 6, memory 15Gi. The pod got cpu 2, memory 1Gi more: this is the next available size.',
  ]);
});

it.each(['cci', 'cci-legacy', 'cci-compact', 'cci2', 'none'] as const)(
  '%s: no event when nothing was added',
  (rules) => {
    expect(messages('500m/1Gi', rules)).toEqual([]);
  },
);
