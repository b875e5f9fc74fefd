import { expect, test } from 'vitest';
import type { JsonObject } from '../json.ts';
import type { Call } from '../rules/call.ts';
import { requestingAsMade, requestingNothing } from './asked.ts';
import { type Change, keepingRequests, mayLoseRequests } from './changes.ts';

const made = {
  metadata: { annotations: { own: 'yes', other: 'yes' } },
  spec: { containers: [{ name: 'a', resources: { limits: { cpu: '1' }, requests: { cpu: '0.5' } } }] },
};
const current = requestingNothing(made);

function call(method: string, body: JsonObject): Call {
  return {
    method,
    route: { groupVersion: 'v1', resource: 'pods', namespace: 'n', name: 'p' },
    query: new URLSearchParams(),
    contentType: 'application/merge-patch+json',
    body,
    hasBody: true,
    identity: { domain: { id: '', name: '' }, project: { id: '', name: '' }, user: { id: '', name: '' } },
    hasUserToken: false,
  };
}

function changed(method: string, body: JsonObject): Change {
  return keepingRequests(call(method, body), requestingNothing(body), current);
}

test('a pod that was read can be written back, and not with other requests', () => {
  const read = requestingAsMade(current);
  expect(mayLoseRequests(call('PUT', read))).toBe(true);
  expect(changed('PUT', read)).toEqual({ body: current });
  const [container] = made.spec.containers;
  const more = { ...container, resources: { limits: { cpu: '1' }, requests: { cpu: '1' } } };
  expect(changed('PUT', { ...read, spec: { containers: [more] } })).toMatchObject({ refusal: { status: 422 } });
});

test('all annotations can be taken away but those that nobody sees', () => {
  const gone = { body: { metadata: { annotations: { own: null, other: null } } } };
  expect(changed('PATCH', { metadata: { annotations: null } })).toEqual(gone);
  expect(changed('PATCH', { metadata: { annotations: { $patch: 'delete', x: 'y' } } })).toEqual(gone);
  expect(changed('PATCH', { metadata: { annotations: { $patch: 'replace', own: 'no' } } })).toEqual({
    body: { metadata: { annotations: { own: 'no', other: null } } },
  });
});

test('other changes are no danger, not even those that name what is kept', () => {
  const patch = { metadata: { annotations: { own: null, 'requests.cci-standin/a': null } } };
  expect(mayLoseRequests(call('PATCH', patch))).toBe(false);
  expect(requestingNothing(patch)).toEqual({ metadata: { annotations: { own: null } } });
});
