import { expect, test } from 'vitest';
import { namespacedTypes } from './discovery.ts';
import { ApiError } from './errors.ts';
import type { KubeRequest } from './transport/request.ts';

const kind = (name: string, namespaced = true, verbs: readonly string[] = ['list']): object => ({
  name,
  kind: name.toUpperCase(),
  namespaced,
  verbs,
});
const group = (name: string, ...versions: readonly string[]): object => ({
  name,
  versions: versions.map((version) => ({ groupVersion: `${name}/${version}` })),
});
const answers: Readonly<Record<string, object>> = {
  '/api/v1': {
    resources: [
      kind('pods'),
      kind('pods/log'),
      kind('nodes', false),
      kind('events'),
      kind('bindings', true, ['create']),
    ],
  },
  '/apis': { groups: [group('apps', 'v1', 'v1beta1'), group('gone.example', 'v1'), group('metrics.k8s.io', 'v1')] },
  '/apis/apps/v1': { resources: [kind('deployments')] },
  '/apis/apps/v1beta1': { resources: [kind('deployments'), kind('scales')] },
};
const client = {
  request: async <T>({ path }: KubeRequest): Promise<T> => {
    const answer = answers[path];
    if (answer === undefined) throw new ApiError(path, { status: 404, reason: 'NotFound' });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return answer as T;
  },
};

test('every kind that can be listed in a namespace, once and in its preferred version', async () => {
  const types = await namespacedTypes(client, new AbortController().signal);
  expect(types.map(({ apiVersion, plural }) => `${apiVersion} ${plural}`).toSorted()).toEqual([
    'apps/v1 deployments',
    'apps/v1beta1 scales',
    'v1 pods',
  ]);
});
