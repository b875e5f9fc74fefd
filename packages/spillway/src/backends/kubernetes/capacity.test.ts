import { expect, test } from 'vitest';
import { capacityOf, isComplete } from './capacity.ts';

const nodes = ['4', '3500m'].map((cpu) => ({
  status: { allocatable: { cpu, memory: '8Gi', pods: '110', 'ephemeral-storage': '50' } },
}));

test('without a quota the nodes count', () => {
  expect(capacityOf([], nodes)).toEqual({
    cpu: '7500m',
    memory: '17179869184',
    pods: '220',
    'ephemeral-storage': '100',
  });
});

test('a quota counts instead, and of several the least', () => {
  const quotas = [
    { spec: { hard: { 'requests.cpu': '10', 'limits.cpu': '20', pods: '5' } } },
    { spec: { hard: { 'requests.cpu': '2' } } },
    { spec: { hard: { cpu: '1' }, scopes: ['BestEffort'] } },
  ];
  expect(capacityOf(quotas, nodes)).toEqual({
    cpu: '2',
    memory: '17179869184',
    pods: '5',
    'ephemeral-storage': '100',
  });
  expect(isComplete(quotas)).toBe(false);
  expect(capacityOf(quotas, [])).not.toHaveProperty('ephemeral-storage');
  expect(isComplete([...quotas, { spec: { hard: { memory: '1Gi' } } }])).toBe(true);
});
