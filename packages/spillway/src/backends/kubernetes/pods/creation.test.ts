import { ApiError, type Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { type CreationContext, createPod } from './creation.ts';
import { podMarks } from './marks.ts';

const owner = { clusterId: 'c', nodeName: 'vk' };
const ref = { namespace: 'a', name: 'web-0', uid: 'new' };
const pod: Pod = { metadata: { name: 'a-web-0', namespace: 'burst' } };
const translation = { pod, copies: { configMaps: [], secrets: [], claims: [] } };
const { signal } = new AbortController();

const notFound = (kind?: string): ApiError =>
  new ApiError('not found', { status: 404, reason: 'NotFound', ...(kind !== undefined && { details: { kind } }) });
const taken = new ApiError('already exists', { status: 409, reason: 'AlreadyExists' });

/** What the other cluster answers: an error, or a pod. */
interface Answers {
  /** Is there already. */
  readonly there?: Pod;
  readonly create: () => Pod;
  readonly get?: () => Pod;
  readonly copy?: () => void;
}

async function create({ there, create: post, get = () => fails(notFound()), copy = () => {} }: Answers): Promise<void> {
  const context = {
    pods: { create: async () => post(), get: async () => get() },
    instances: { find: async () => there, seen: () => fails(new Error('a place is waited for')) },
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
  it('was created when the cluster has accepted it, whether or not there is a place for it', () =>
    create({ create: () => pod }));

  it('is tried again when a pod of its name goes while it is being looked at', async () => {
    const creating = create({ create: () => fails(taken) });
    await expect(creating).rejects.toMatchObject({ kind: 'conflict', reason: undefined });
    await expect(creating).rejects.toThrow('has just gone');
  });

  it('was created when it is there, also under the name that an earlier version gave it', async () => {
    const former = { metadata: { ...pod.metadata, name: 'a-web-0', ...podMarks(owner, ref) } };
    await create({ there: former, create: () => fails(new Error('a second instance')) });
    await create({ create: () => fails(taken), get: () => former });
  });

  it('waits for the end of what is being deleted there', async () => {
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    const going = { metadata: { ...pod.metadata, deletionTimestamp, ...podMarks(owner, ref) } };
    const creating = create({ there: going, create: () => fails(new Error('a second instance')) });
    await expect(creating).rejects.toMatchObject({ kind: 'conflict' });
    await expect(create({ create: () => fails(taken), get: () => going })).rejects.toThrow('is being deleted');
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
