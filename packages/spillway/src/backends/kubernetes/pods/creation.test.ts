import { ApiError, type Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { type CreationContext, createPod } from './creation.ts';
import { podMarks } from './marks.ts';

const owner = { clusterId: 'c', nodeName: 'vk' };
const ref = { namespace: 'a', name: 'web-0', uid: 'new' };
const pod: Pod = { metadata: { name: 'a-web-0', namespace: 'burst' } };
const translation = { pod, copies: { configMaps: [], secrets: [] }, ephemeralContainers: [] };
const { signal } = new AbortController();

const notFound = (kind?: string): ApiError =>
  new ApiError('not found', { status: 404, reason: 'NotFound', ...(kind !== undefined && { details: { kind } }) });
const taken = new ApiError('already exists', { status: 409, reason: 'AlreadyExists' });

/** What the other cluster answers: an error, or a pod. */
interface Answers {
  readonly create: () => Pod;
  readonly get?: () => Pod;
  readonly copy?: () => void;
}

async function create({ create: post, get = () => fails(notFound()), copy = () => {} }: Answers): Promise<void> {
  const context = {
    pods: { create: async () => post(), get: async () => get() },
    instances: { pods: async () => [] },
    copies: {
      with: async (_: object, work: () => Promise<void>) => {
        copy();
        await work();
      },
    },
    dialect: { name: 'kubernetes' },
    owner,
    namespace: 'burst',
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is asked of them
  await createPod(ref, translation, context as unknown as CreationContext, signal);
}

function fails(error: Error): never {
  throw error;
}

describe('a pod in the other cluster', () => {
  it('is tried again when the former pod of its name goes while it is being looked at', async () => {
    const creating = create({ create: () => fails(taken) });
    await expect(creating).rejects.toMatchObject({ kind: 'conflict', reason: undefined });
    await expect(creating).rejects.toThrow('has gone at this moment');
  });

  it('waits for the former pod of its name', async () => {
    const former = { metadata: { ...pod.metadata, uid: 'there', ...podMarks(owner, { ...ref, uid: 'old' }) } };
    await expect(create({ create: () => fails(taken), get: () => former })).rejects.toThrow('is not gone yet');
  });

  it.each([undefined, 'namespaces'])(
    'says that the namespace is missing when that is what was not found (%s)',
    async (kind) => {
      await expect(create({ create: () => fails(notFound(kind)) })).rejects.toMatchObject({
        kind: 'notFound',
        reason: 'NamespaceMissing',
      });
    },
  );

  it('does not say so of a copy that somebody removed meanwhile', async () => {
    const creating = create({ create: () => pod, copy: () => fails(notFound('secrets')) });
    await expect(creating).rejects.toBeInstanceOf(ApiError);
  });
});
