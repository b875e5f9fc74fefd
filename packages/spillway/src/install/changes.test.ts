import { expect, it } from 'vitest';
import { changeOf } from './changes.ts';

const metadata = { name: 'a', namespace: 'n' };
const configMap = (text: string): object => ({ kind: 'ConfigMap', metadata, data: { 'config.yaml': text } });
const secret = (key: string): object => ({ kind: 'Secret', metadata, data: { key } });

it('says which fields change, and from what to what', () => {
  const before = { kind: 'Deployment', metadata, spec: { replicas: 1, image: 'a:1', paused: true } };
  const after = { kind: 'Deployment', metadata, spec: { replicas: 1, image: 'a:2', more: [1] } };
  expect(changeOf(before, after)).toEqual({
    kind: 'Deployment',
    namespace: 'n',
    name: 'a',
    change: 'changed',
    fields: [
      { path: 'spec.image', from: 'a:1', to: 'a:2' },
      { path: 'spec.paused', from: true },
      { path: 'spec.more', to: [1] },
    ],
  });
});

it('says nothing of what the API server keeps for itself', () => {
  const before = { kind: 'Service', metadata: { ...metadata, resourceVersion: '1', generation: 1 }, status: { a: 1 } };
  const after = { kind: 'Service', metadata: { ...metadata, resourceVersion: '2', generation: 2 }, status: { a: 2 } };
  expect(changeOf(before, after)).toBeUndefined();
});

it('says which settings of the configuration change, and nothing of its layout', () => {
  expect(changeOf(configMap('a: {b: 1}'), configMap('a:\n  b: 1\n'))).toBeUndefined();
  expect(changeOf(configMap('a: {b: 1}'), configMap('a: {b: 2}'))?.fields).toEqual([
    { path: 'data["config.yaml"].a.b', from: 1, to: 2 },
  ]);
});

it('never shows what a Secret holds', () => {
  expect(changeOf(secret('b2xk'), secret('bmV3'))?.fields).toEqual([{ path: 'data.key' }]);
});

it('what does not exist is created', () => {
  expect(changeOf(undefined, { kind: 'Secret', metadata })?.change).toBe('created');
});
