import type { KubeObject } from '@spillway/kube';
import { expect, it } from 'vitest';
import { appliedFields } from './owned-fields.ts';

const object = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'spillway',
    namespace: 'spillway-system',
    uid: 'u',
    labels: { ours: 'a', theirs: 'b' },
    managedFields: [
      {
        manager: 'helm',
        operation: 'Apply',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:ours': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:ports': {
              'k:{"port":1,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:name': {} },
            },
            'f:finalizers': { 'v:"a"': {} },
          },
        },
      },
      {
        manager: 'kube-controller-manager',
        operation: 'Update',
        fieldsV1: { 'f:metadata': { 'f:labels': { 'f:theirs': {} } } },
      },
      { manager: 'helm', operation: 'Apply', subresource: 'status', fieldsV1: { 'f:status': {} } },
    ],
  },
  spec: {
    replicas: 2,
    selector: { matchLabels: { a: 'b' } },
    paused: false,
    ports: [
      { port: 1, protocol: 'TCP', name: 'one', nodePort: 3 },
      { port: 2, protocol: 'TCP', name: 'two' },
    ],
    finalizers: ['a', 'b'],
  },
  status: { replicas: 2 },
} as KubeObject;

const byApplying = (_: string, operation: string): boolean => operation === 'Apply';

it('what was applied is told from what the API server and others have added', () => {
  expect(appliedFields(object, byApplying)).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'spillway', namespace: 'spillway-system', labels: { ours: 'a' } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { a: 'b' } },
      ports: [{ port: 1, name: 'one' }],
      finalizers: ['a'],
    },
  });
});

it('what two have applied is taken together', () => {
  const labels = appliedFields(object, () => true)?.metadata?.labels;
  expect(labels).toEqual({ ours: 'a', theirs: 'b' });
});

it('an object that nobody has applied has nothing to go back to', () => {
  expect(appliedFields(object, (manager) => manager === 'somebody')).toBeUndefined();
});
