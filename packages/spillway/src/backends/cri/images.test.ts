import { systemClock } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import type { Notice } from '../../podspec/notice.ts';
import { BackendError } from '../backend.ts';
import type { RuntimeCalls } from './client/runtime-client.ts';
import { Images } from './images.ts';

type Calls = Pick<RuntimeCalls, 'ImageStatus' | 'PullImage'>;

/** A runtime with a store of images and a registry, which may want a login. */
class FakeRuntime {
  readonly present = new Set<string>();
  readonly registry = new Map<string, string | undefined>();
  readonly pulls: string[] = [];

  readonly calls: Calls = {
    ImageStatus: async ({ image }) => {
      const name = image?.image ?? '';
      return { info: {}, image: this.present.has(name) ? { ...anImage, id: `id of ${name}` } : null };
    },
    PullImage: async ({ image, auth }) => {
      const name = image?.image ?? '';
      this.pulls.push(`${name} as ${auth?.username ?? 'nobody'}`);
      if (!this.registry.has(name)) throw new BackendError('notFound', `${name}: not found`);
      if (this.registry.get(name) !== auth?.username)
        throw new BackendError('internal', `401 for ${auth?.username ?? 'nobody'}`);
      this.present.add(name);
      return { imageRef: name };
    },
  };
}

const anImage = { repoTags: [], repoDigests: [], size: '42', uid: null, username: '', spec: null, pinned: false };
const login = (registry: string, username: string): { registry: string; username: string; password: string } => ({
  registry,
  username,
  password: 'p',
});

interface Outcome {
  readonly result: unknown;
  readonly notices: string[];
}

async function ensure(
  runtime: FakeRuntime,
  container: { image: string; imagePullPolicy?: string },
  credentials: ReturnType<typeof login>[] = [],
): Promise<Outcome> {
  const notices: Omit<Notice, 'fieldPath'>[] = [];
  const request = {
    container: { name: 'main', ...container },
    credentials,
    sandboxConfig: {},
    notify: (notice: Omit<Notice, 'fieldPath'>) => void notices.push(notice),
  };
  const images = new Images(runtime.calls, systemClock);
  const result = await images.ensure(request, new AbortController().signal).catch((error: unknown) => error);
  return { result, notices: notices.map(({ reason }) => reason) };
}

const full = 'docker.io/library/busybox:1';

describe('an image', () => {
  test('that is there is used, unless it must be asked for', async () => {
    const runtime = new FakeRuntime();
    runtime.present.add(full);
    expect(await ensure(runtime, { image: 'busybox:1' })).toMatchObject({
      result: { id: `id of ${full}` },
      notices: ['Pulled'],
    });
    expect(runtime.pulls).toEqual([]);
    runtime.registry.set(full, undefined);
    await ensure(runtime, { image: 'busybox:1', imagePullPolicy: 'Always' });
    expect(runtime.pulls).toEqual([`${full} as nobody`]);
  });

  test('that is not there is pulled, with the logins that match, one after the other', async () => {
    const runtime = new FakeRuntime();
    runtime.registry.set(full, 'second');
    const logins = [login('quay.io', 'other'), login('docker.io/library', 'first'), login('docker.io', 'second')];
    expect(await ensure(runtime, { image: 'busybox:1' }, logins)).toMatchObject({
      result: { id: `id of ${full}` },
      notices: ['Pulling', 'Pulled'],
    });
    expect(runtime.pulls).toEqual([`${full} as first`, `${full} as second`]);
  });

  test('that no login opens fails with what each was told, and the kubelet’s reasons', async () => {
    const runtime = new FakeRuntime();
    runtime.registry.set(full, 'owner');
    const { result } = await ensure(runtime, { image: 'busybox:1' }, [
      login('docker.io', 'a'),
      login('docker.io', 'b'),
    ]);
    expect(result).toMatchObject({
      reason: 'ErrImagePull',
      message: '401 for a; 401 for b',
      backoff: { reason: 'ImagePullBackOff', event: 'Back-off pulling image "busybox:1"' },
      notices: [
        { reason: 'Failed', message: 'Failed to pull image "busybox:1": 401 for a; 401 for b' },
        { message: 'Error: ErrImagePull' },
      ],
    });
  });

  test('that may not be pulled, or has no name, says so', async () => {
    const runtime = new FakeRuntime();
    expect((await ensure(runtime, { image: 'busybox:1', imagePullPolicy: 'Never' })).result).toMatchObject({
      reason: 'ErrImageNeverPull',
    });
    expect((await ensure(runtime, { image: 'No Image' })).result).toMatchObject({ reason: 'InvalidImageName' });
    expect(runtime.pulls).toEqual([]);
  });

  test('is not called broken when the runtime is away', async () => {
    const runtime = new FakeRuntime();
    const away = new BackendError('unavailable', 'away');
    const calls = { ...runtime.calls, PullImage: () => Promise.reject(away) };
    const request = {
      container: { name: 'main', image: 'busybox:1' },
      credentials: [],
      sandboxConfig: {},
      notify: () => undefined,
    };
    await expect(new Images(calls, systemClock).ensure(request, new AbortController().signal)).rejects.toBe(away);
  });
});
