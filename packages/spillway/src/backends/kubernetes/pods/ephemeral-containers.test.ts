import { ApiError, type Pod, type ResourceClient } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { addEphemeralContainers } from './ephemeral-containers.ts';

const signal = new AbortController().signal;
const pod: Pod = {
  metadata: { namespace: 'burst', name: 'web', uid: 'u' },
  spec: { containers: [], ephemeralContainers: [{ name: 'first' }] },
};
const wanted = [{ name: 'first' }, { name: 'second', image: 'tools', targetContainerName: 'main' }];
const verbs = { attach: true, portForward: true, ephemeralContainers: true };

/** A client of pods that only patches. */
function patching(patched: unknown[], error?: Error): ResourceClient<Pod> {
  const patch = async (...call: unknown[]): Promise<Pod> => {
    if (error) throw error;
    patched.push(call.slice(0, 2), call[2]);
    return pod;
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of it is used
  return { patch } as unknown as ResourceClient<Pod>;
}

const answer = (status: number): ApiError =>
  new ApiError(`status ${status}`, { status, reason: status === 422 ? 'Invalid' : '' });

describe('ephemeral containers', () => {
  test('are added by their subresource, those that are missing, to the pod with this UID', async () => {
    const patched: unknown[] = [];
    expect(await addEphemeralContainers(patching(patched), pod, wanted, { verbs }, signal)).toEqual([]);
    const body = { metadata: { uid: 'u' }, spec: { ephemeralContainers: wanted.slice(1) } };
    expect(patched).toEqual([
      [
        { namespace: 'burst', name: 'web' },
        { type: 'strategic', body },
      ],
      expect.objectContaining({ subresource: 'ephemeralcontainers' }),
    ]);
    expect(await addEphemeralContainers(patching([]), pod, wanted.slice(0, 1), { verbs }, signal)).toEqual([]);
  });

  test('are refused by their field where there are none', async () => {
    const none = { verbs: { ...verbs, ephemeralContainers: false } };
    expect(await addEphemeralContainers(patching([]), pod, wanted, none, signal)).toMatchObject([
      { code: 'ephemeral-containers-unsupported', field: 'spec.ephemeralContainers[1]' },
    ]);
  });

  test('are refused with the words of a cluster that does not take them, and asked for again when it is away', async () => {
    const refused = addEphemeralContainers(patching([], answer(422)), pod, wanted, { verbs }, signal);
    expect(await refused).toMatchObject([{ message: expect.stringContaining('status 422') }]);
    const away = addEphemeralContainers(patching([], answer(503)), pod, wanted, { verbs }, signal);
    await expect(away).rejects.toMatchObject({ status: 503 });
  });
});
