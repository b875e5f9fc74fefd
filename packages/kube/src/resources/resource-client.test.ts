import { beforeEach, describe, expect, test } from 'vitest';
import type { Pod, Scale, TokenRequest } from '../generated/index.ts';
import { trusted } from '../json.ts';
import { deployments, nodes, pods, serviceAccounts } from '../generated/resources.ts';
import type { KubeRequest, Requester } from '../transport/request.ts';
import { resourceClient } from './resource-client.ts';

let sent: KubeRequest[];
let answers: unknown[];
const requester: Requester = {
  request<T>(request: KubeRequest): Promise<T> {
    sent.push(request);
    return Promise.resolve(trusted<T>(answers.shift() ?? {}));
  },
  stream: () => Promise.reject(new Error('not used')),
};
const podClient = resourceClient(requester, pods);
const pod: Pod = { metadata: { namespace: 'default', name: 'web' } };

beforeEach(() => {
  sent = [];
  answers = [];
});

describe('the verbs go to the paths of the API', () => {
  test('of namespaced, cluster-scoped and grouped resources', async () => {
    await podClient.get({ namespace: 'default', name: 'web' });
    await resourceClient(requester, nodes).get({ name: 'a/b' }, { subresource: 'status' });
    await resourceClient(requester, deployments).get<Scale>({ namespace: 'x', name: 'd' }, { subresource: 'scale' });
    answers = [{ metadata: {}, items: [] }];
    await podClient.list();
    await podClient.deleteCollection({ namespace: 'x', labelSelector: 'a=b' });
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /api/v1/namespaces/default/pods/web',
      'GET /api/v1/nodes/a%2Fb/status',
      'GET /apis/apps/v1/namespaces/x/deployments/d/scale',
      'GET /api/v1/pods',
      'DELETE /api/v1/namespaces/x/pods',
    ]);
    expect(sent.map(({ resource }) => resource)).toEqual(['pods', 'nodes/status', 'deployments/scale', 'pods', 'pods']);
  });

  test('a missing name or namespace is refused before it becomes a request for something else', async () => {
    await expect(podClient.get({ name: 'web' })).rejects.toThrow('pods: the namespace is missing');
    await expect(podClient.delete({ namespace: 'x', name: '' })).rejects.toThrow('pods: the object has no name');
    await expect(podClient.create({ metadata: { generateName: 'x-' } })).rejects.toThrow('the namespace is missing');
    await expect(podClient.deleteCollection()).rejects.toThrow('the namespace is missing');
    expect(sent).toEqual([]);
  });
});

describe('writing', () => {
  test('fills in kind and apiVersion, and passes options on', async () => {
    const signal = new AbortController().signal;
    await podClient.create(pod, {
      dryRun: true,
      fieldManager: 'me',
      lane: 'status',
      signal,
      timeoutMs: 5,
      retry: false,
    });
    expect(sent[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/namespaces/default/pods',
      query: { dryRun: 'All', fieldManager: 'me' },
      body: { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata },
      lane: 'status',
      signal,
      timeoutMs: 5,
      retry: false,
    });
    await podClient.replace(pod, { subresource: 'status' });
    expect(sent[1]).toMatchObject({ method: 'PUT', path: '/api/v1/namespaces/default/pods/web/status' });
  });

  test('creates subresources of another type under the object that is named', async () => {
    const request: TokenRequest = { spec: { audiences: ['a'] } };
    await resourceClient(requester, serviceAccounts).create<TokenRequest>(request, {
      subresource: 'token',
      namespace: 'x',
      name: 'builder',
    });
    expect(sent[0]).toMatchObject({ path: '/api/v1/namespaces/x/serviceaccounts/builder/token', body: request });
  });

  test('patches say what kind they are', async () => {
    const ref = { namespace: 'default', name: 'web' };
    await podClient.patch(ref, { type: 'strategic', body: {} });
    await podClient.patch(ref, { type: 'merge', body: {} }, { subresource: 'status' });
    await podClient.patch(ref, { type: 'json', body: [{ op: 'remove', path: '/a' }] });
    await podClient.apply(pod, { fieldManager: 'me', force: true });
    expect(sent.map(({ contentType }) => contentType)).toEqual([
      'application/strategic-merge-patch+json',
      'application/merge-patch+json',
      'application/json-patch+json',
      'application/apply-patch+yaml',
    ]);
    expect(sent[3]).toMatchObject({ query: { fieldManager: 'me', force: true }, body: { kind: 'Pod' } });
  });

  test('deletes with grace, preconditions and propagation', async () => {
    await podClient.delete(
      { namespace: 'default', name: 'web' },
      { gracePeriodSeconds: 0, preconditions: { uid: 'u' }, propagationPolicy: 'Foreground', dryRun: true },
    );
    expect(sent[0]?.body).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u' },
      propagationPolicy: 'Foreground',
      dryRun: ['All'],
    });
  });
});

describe('listing', () => {
  test('gives items the kind that the server leaves out', async () => {
    answers = [
      { metadata: {}, items: [{ metadata: { name: 'a' } }] },
      { metadata: {}, items: null },
    ];
    expect((await podClient.list()).items).toEqual([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }]);
    expect((await podClient.list()).items).toEqual([]);
  });

  test('pages go on where the last one ended, without repeating the version', async () => {
    answers = [
      { metadata: { continue: 'token' }, items: [{}] },
      { metadata: { continue: '' }, items: [{}, {}] },
    ];
    const sizes: number[] = [];
    const options = { resourceVersion: '0', resourceVersionMatch: 'NotOlderThan', labelSelector: 'a=b' } as const;
    for await (const page of podClient.pages(options)) sizes.push(page.items.length);
    expect(sizes).toEqual([1, 2]);
    expect(sent.map(({ query }) => query)).toMatchObject([
      { limit: 500, resourceVersion: '0', labelSelector: 'a=b', continue: undefined },
      {
        limit: 500,
        resourceVersion: undefined,
        resourceVersionMatch: undefined,
        labelSelector: 'a=b',
        continue: 'token',
      },
    ]);
  });
});

describe('an answer is looked at before it is believed', () => {
  const failure = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'away', code: 500 };

  test.each([
    ['a Status that tells of a failure', failure, { name: 'ApiError', status: 500 }],
    ['another Status', { kind: 'Status', metadata: {}, status: 'Success' }, { kind: 'protocol' }],
    ['nothing', '', { kind: 'protocol' }],
    ['the page of a gateway', '<html>', { kind: 'protocol' }],
    ['an object that is no list', { kind: 'Pod', metadata: {} }, { kind: 'protocol' }],
    ['a list that does not say of what', { metadata: {} }, { kind: 'protocol' }],
  ])('%s is no empty list', async (_, answer, error) => {
    answers = [answer];
    await expect(podClient.list()).rejects.toMatchObject(error);
  });

  test('a Status that tells of a failure is one for every verb, whatever its HTTP status', async () => {
    const ref = { namespace: 'default', name: 'web' };
    for (const call of [
      () => podClient.get(ref),
      () => podClient.create(pod),
      () => podClient.replace(pod),
      () => podClient.patch(ref, { type: 'merge', body: {} }),
      () => podClient.delete(ref),
      () => podClient.deleteCollection({ namespace: 'default' }),
    ]) {
      answers = [failure];
      await expect(call()).rejects.toMatchObject({ name: 'ApiError', status: 500 });
    }
  });

  test('a page of a gateway is no object', async () => {
    answers = ['<html>'];
    await expect(podClient.get({ namespace: 'default', name: 'web' })).rejects.toMatchObject({ kind: 'protocol' });
  });

  test('what is no object among the items does not hide the others', async () => {
    answers = [{ metadata: {}, items: [null, { metadata: { name: 'a' } }, 7] }];
    expect((await podClient.list()).items.map(({ metadata }) => metadata?.name)).toEqual(['a']);
  });
});
