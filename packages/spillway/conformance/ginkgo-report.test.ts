import { expect, test } from 'vitest';
import { resultsOf } from './ginkgo-report.ts';

const spec = (more: object): object => ({
  LeafNodeType: 'It',
  ContainerHierarchyTexts: ['[sig-node] Pods'],
  LeafNodeText: 'should be updated [Conformance]',
  State: 'passed',
  RunTime: 4_260_000_000,
  ...more,
});

const report = (...specs: object[]): string => JSON.stringify([{ SpecReports: specs }]);

test('a test has the name that Kubernetes gives it, its time and its namespaces', () => {
  const SpecEvents = [
    { SpecEventType: 'Node', Message: '[sig-node] Pods' },
    { SpecEventType: 'By', Message: 'Creating a kubernetes client' },
    { SpecEventType: 'By', Message: 'Destroying namespace "pods-8472" for this suite.' },
  ];
  expect(resultsOf(report(spec({ SpecEvents })))).toEqual([
    {
      name: '[sig-node] Pods should be updated',
      outcome: 'passed',
      seconds: 4.3,
      namespaces: ['pods-8472'],
    },
  ]);
});

test('whatever is neither passed nor skipped has failed, with its message on one line', () => {
  const Failure = { Message: 'timed out\n  waiting for the pod' };
  const specs = ['failed', 'panicked', 'timedout', 'interrupted', 'aborted'].map((State) => spec({ State, Failure }));
  for (const { outcome, message } of resultsOf(report(...specs))) {
    expect({ outcome, message }).toEqual({ outcome: 'failed', message: 'timed out waiting for the pod' });
  }
});

test('a test that skips itself is a result, with its reason; one that was not asked for is none', () => {
  const itself = spec({ State: 'skipped', Failure: { Message: 'needs two nodes' } });
  expect(resultsOf(report(itself, spec({ State: 'skipped' }), spec({ LeafNodeType: 'BeforeSuite' })))).toMatchObject([
    { outcome: 'skipped', message: 'needs two nodes' },
  ]);
});
