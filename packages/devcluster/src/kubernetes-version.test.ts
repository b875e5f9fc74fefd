import { expect, test } from 'vitest';
import { abilitiesOf, knownKubernetesVersion } from './kubernetes-version.ts';

test.each([
  [undefined, '1.37.2'],
  ['1.36', '1.36.3'],
  ['1.28.15', '1.28.15'],
  ['v1.28.15', '1.28.15'],
  ['1.28', '1.28.15'],
])('asked for Kubernetes %s there is %s', (wanted, version) => {
  expect(knownKubernetesVersion(wanted)).toBe(version);
});

test.each(['1.2', '1.28.1', '1.27.0', '', 'latest'])('"%s" is refused, with the versions that there are', (wanted) => {
  expect(() => knownKubernetesVersion(wanted)).toThrow(`"${wanted}"; there are 1.37.2, 1.36.3, 1.28.15`);
});

test('an old API server has neither admission policies nor generations of pods', () => {
  expect(abilitiesOf('1.37.2')).toEqual({
    containers: true,
    validatingPolicies: true,
    mutatingPolicies: true,
    podGenerations: true,
  });
  expect(abilitiesOf('1.28.15')).toEqual({
    containers: false,
    validatingPolicies: false,
    mutatingPolicies: false,
    podGenerations: false,
  });
});
