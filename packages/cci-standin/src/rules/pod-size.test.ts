import { expect, test } from 'vitest';
import { sizeMistake } from './pod-size.ts';

const container = (cpu: string, memory: string): object => ({
  resources: { limits: { cpu, memory }, requests: { cpu, memory } },
});
const pod = (...containers: readonly object[]): object => ({ containers });

test.each([
  ['0.25', '1Gi'],
  ['500m', '1Gi'],
  ['2', '4Gi'],
  ['2.5', '20Gi'],
  ['32', '64Gi'],
  ['48', '384Gi'],
  ['64', '512Gi'],
])('%s CPU with %s is a size', (cpu, memory) => {
  expect(sizeMistake(pod(container(cpu, memory)))).toBeUndefined();
});

test.each([
  ['0.1', '1Gi', '0.25'],
  ['0.3', '1Gi', '0.25'],
  ['1', '2500Mi', 'whole number of Gi'],
  ['1', '1Gi', '1:2 to 1:8'],
  ['1', '9Gi', '1:2 to 1:8'],
  ['33', '66Gi', '0.25 to 32'],
  ['32', '257Gi', '256Gi'],
  ['64', '300Gi', '256Gi'],
  ['0', '1Gi', 'no container'],
])('%s CPU with %s is none', (cpu, memory, message) => {
  expect(sizeMistake(pod(container(cpu, memory)))).toContain(message);
});

test('the size is that of all containers together, or of the largest init container', () => {
  expect(sizeMistake(pod(container('0.2', '1300Mi'), container('0.3', '748Mi')))).toBeUndefined();
  const init = { ...pod(container('0.25', '1Gi')), initContainers: [container('1', '2Gi'), container('0.5', '1Gi')] };
  expect(sizeMistake(init)).toBeUndefined();
  expect(sizeMistake({ ...init, initContainers: [container('1', '1Gi')] })).toContain('1:2');
});

test('a sidecar counts with the containers, and with the init containers after it', () => {
  const sidecar = { ...container('0.5', '1Gi'), restartPolicy: 'Always' };
  const init = (...initContainers: object[]): object => ({ ...pod(container('0.5', '1Gi')), initContainers });
  expect(sizeMistake({ ...init(sidecar), ...pod(container('0.3', '1Gi')) })).toContain('0.25');
  expect(sizeMistake(init(sidecar))).toBeUndefined();
  expect(sizeMistake(init(sidecar, container('0.25', '1Gi')))).toBeUndefined();
  expect(sizeMistake(init(sidecar, container('0.6', '2Gi')))).toContain('multiple of 0.25');
  expect(sizeMistake(init(container('0.6', '2Gi'), sidecar))).toBeUndefined();
});

test('a container without any resources goes along with one that has some', () => {
  expect(sizeMistake(pod(container('1', '2Gi'), {}))).toBeUndefined();
  expect(sizeMistake(pod({}))).toContain('no container');
});

const mistakeOf = (resources: object): string | undefined => sizeMistake(pod({ resources }));

test('requests are the limits, or are left out', () => {
  const message = "limit and request doesn't equal";
  const limits = { cpu: '1', memory: '2Gi' };
  expect(mistakeOf({ limits })).toBeUndefined();
  expect(mistakeOf({ limits, requests: { cpu: '1000m', memory: '2048Mi' } })).toBeUndefined();
  expect(mistakeOf({ limits, requests: { cpu: '500m' } })).toBe(message);
  expect(mistakeOf({ requests: limits })).toBe(message);
});

test('five containers are the most', () => {
  const many = Array.from({ length: 6 }, () => container('0.25', '1Gi'));
  expect(sizeMistake({ containers: many })).toContain('at most 5');
  expect(sizeMistake({ containers: many.slice(1) })).toBeUndefined();
});
