import { expect, test } from 'vitest';
import { sizeOf } from './pod-size-v2.ts';

const container = (cpu: string, memory: string): object => ({
  resources: { limits: { cpu, memory }, requests: { cpu, memory } },
});
const pod = (...containers: readonly object[]): { containers: readonly object[]; initContainers?: object[] } => ({
  containers,
});
const asking = (size: string): object => ({ annotations: { 'resource.cci.io/pod-size-specs': size } });

test.each([
  ['100m', '100Mi', '0.25_0.5'],
  ['250m', '512Mi', '0.25_0.5'],
  ['500m', '5Gi', '1.00_5.0'],
  ['2', '4Gi', '2.00_4.0'],
  ['6', '15Gi', '8.00_16.0'],
  ['8', '30Gi', '8.00_32.0'],
  ['16', '129Gi', '32.00_256.0'],
  ['64', '512Gi', '64.00_512.0'],
])('%s CPU with %s costs as much as %s', (cpu, memory, size) => {
  expect(sizeOf({}, pod(container(cpu, memory)))).toEqual({ size });
});

test('a pod without any sizes gets the smallest', () => {
  expect(sizeOf({}, pod({}))).toEqual({ size: '0.25_0.5' });
});

test('what no flavour has room for is refused', () => {
  expect(sizeOf({}, pod(container('65', '1Gi')))).toEqual({ mistake: 'no flavor is large enough for the pod' });
});

test('it counts what all containers request together, the largest limit, and the largest init container', () => {
  expect(sizeOf({}, pod(container('1', '1Gi'), container('1', '1Gi')))).toEqual({ size: '2.00_2.0' });
  const limited = { resources: { limits: { cpu: '4', memory: '4Gi' }, requests: { cpu: '1', memory: '1Gi' } } };
  expect(sizeOf({}, pod(limited))).toEqual({ size: '4.00_4.0' });
  expect(sizeOf({}, { ...pod(container('1', '1Gi')), initContainers: [container('2', '3Gi')] })).toEqual({
    size: '2.00_3.0',
  });
  const sidecar = { ...container('1', '1Gi'), restartPolicy: 'Always' };
  expect(sizeOf({}, { ...pod(container('1', '1Gi')), initContainers: [sidecar] })).toEqual({ size: '2.00_2.0' });
});

test('a flavour can be asked for, if there is one that has room', () => {
  const small = pod(container('1', '1Gi'));
  expect(sizeOf(asking('2.00_4.0'), small)).toEqual({ size: '2.00_4.0' });
  expect(sizeOf(asking('2_4'), small)).toEqual({ size: '2.00_4.0' });
  expect(sizeOf(asking('3_4'), small)).toEqual({ mistake: 'there is no flavor 3_4' });
  expect(sizeOf(asking('0.5_4'), small)).toHaveProperty('mistake', expect.stringContaining('more than the flavor'));
});
