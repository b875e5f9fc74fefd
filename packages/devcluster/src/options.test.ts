import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkName, parseQuantity, resolveOptions } from './options.ts';

test('without options there is a node of two CPUs, and a name of its own', () => {
  const first = resolveOptions({});
  expect(first).toMatchObject({
    node: {
      name: 'node-1',
      milliCpu: 2000,
      memoryBytes: 4 * 2 ** 30,
      maxPods: 110,
      podCidr: '10.244.0.0/16',
      services: true,
    },
  });
  expect(first.name).not.toBe(resolveOptions({}).name);
  expect(() => checkName(first.name)).not.toThrow();
});

test('an older Kubernetes is a control plane alone', () => {
  const alone = { node: false, kubernetesVersion: '1.28' } as const;
  expect(resolveOptions(alone).kubernetesVersion).toBe('1.28.15');
  expect(resolveOptions({ node: false }, '1.28.15').kubernetesVersion).toBe('1.28.15');
  expect(resolveOptions({ kubernetesVersion: '1.36.3' }, '1.28.15').kubernetesVersion).toBe('1.36.3');
  expect(() => resolveOptions({ ...alone, node: {} })).toThrow(/1\.28\.15 comes as a control plane alone/);
});

test('the network of the node’s pods can be chosen', () => {
  const podCidr = '10.246.0.0/16';
  expect(resolveOptions({ node: { podCidr, services: false } }).node).toMatchObject({ podCidr, services: false });
  for (const wrong of ['10.246/16', '10.246.0.0']) {
    expect(() => resolveOptions({ node: { podCidr: wrong } })).toThrow(/not a network for pods.*10\.244\.0\.0\/16/);
  }
});

test('so can the network of Services', () => {
  expect(resolveOptions({}).serviceCidr).toBe('10.96.0.0/16');
  expect(resolveOptions({ serviceCidr: '10.247.0.0/16' }).serviceCidr).toBe('10.247.0.0/16');
  expect(() => resolveOptions({ serviceCidr: '10.247.0.0' })).toThrow(/not a network for Services/);
});

test.each(['', 'A', '1a', 'a_b', 'a-', '../x', 'a'.repeat(21)])('"%s" is refused as a name', (name) => {
  expect(() => checkName(name)).toThrow(/cannot be a cluster's name/);
});

test.each([
  ['2', 2],
  ['1500m', 1.5],
  ['0.5', 0.5],
  ['4Gi', 4 * 2 ** 30],
  ['1G', 1e9],
])('%s is %d', (text, value) => {
  expect(parseQuantity(text)).toBeCloseTo(value, 6);
});

test('anything else is refused with an example', () => {
  const broken = fc.oneof(
    fc.constantFrom('0', '-1', '1.', 'Gi', '1gi', '1e3', ' 1'),
    fc.string().filter((s) => !/^\d/.test(s)),
  );
  fc.assert(
    fc.property(broken, (text) => {
      expect(() => parseQuantity(text)).toThrow(/1500m/);
    }),
  );
});
