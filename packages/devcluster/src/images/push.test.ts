import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildImage, layerOf } from './oci.ts';
import { pushImage, repositoryAndTag } from './push.ts';

/** As much of the distribution API as a push takes. */
class FakeRegistry {
  readonly blobs: Map<string, number> = new Map();
  readonly manifests: Map<string, string> = new Map();
  uploads = 0;
  broken = false;
  /** Blobs of one repository are not seen in another. */
  hidden = false;
  #server: Server | undefined;
  address = '';

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://registry');
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { status, location } = this.#answer(request.method ?? '', url, Buffer.concat(chunks));
        response.writeHead(status, location === undefined ? {} : { location }).end();
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve());
    });
    const address = server.address();
    this.address = typeof address === 'object' ? `127.0.0.1:${address?.port}` : '';
    this.#server = server;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #answer(method: string, url: URL, body: Buffer): { status: number; location?: string } {
    if (this.broken) return { status: 503 };
    const name = url.pathname.split('/').at(-1) ?? '';
    if (method === 'HEAD') return { status: this.blobs.has(name) && !this.hidden ? 200 : 404 };
    const mount = url.searchParams.get('mount');
    if (mount !== null && this.blobs.has(mount)) return { status: 201 };
    if (method === 'POST') {
      this.uploads += 1;
      return { status: 202, location: `${url.pathname}session?state=1` };
    }
    if (url.pathname.includes('/manifests/')) this.manifests.set(url.pathname, body.toString());
    else this.blobs.set(url.searchParams.get('digest') ?? '', body.length);
    return { status: 201 };
  }
}

const registry = new FakeRegistry();
beforeEach(() => registry.start());
afterEach(() => registry.stop());

const base = layerOf(Buffer.alloc(2048));
const image = buildImage({ base: [base], entries: [{ type: 'directory', path: 'tmp', mode: 0o1777 }] }, 'amd64');

test('an image is there under the name that a mirror is asked for', async () => {
  await pushImage(registry.address, 'docker.io/library/busybox:latest', image);
  for (const { digest, content } of [...image.layers, image.config])
    expect(registry.blobs.get(digest)).toBe(content.length);
  expect(registry.manifests.get('/v2/library/busybox/manifests/latest')).toBe(
    Buffer.from(image.manifest.content).toString(),
  );
});

test('a layer that the registry has already is not sent again', async () => {
  await pushImage(registry.address, 'docker.io/library/a:1', image);
  const { uploads } = registry;
  await pushImage(registry.address, 'docker.io/library/b:1', image);
  expect(registry.uploads).toBe(uploads);
});

test('a layer that another image of the registry has is not sent again either', async () => {
  await pushImage(registry.address, 'docker.io/library/a:1', image);
  const { uploads } = registry;
  const sharing = buildImage({ base: [base], entries: [] }, 'amd64');
  registry.hidden = true;
  await pushImage(registry.address, 'docker.io/library/b:1', sharing, 'docker.io/library/a:1');
  // The topmost layer and the configuration.
  expect(registry.uploads).toBe(uploads + 2);
  expect(registry.manifests.has('/v2/library/b/manifests/1')).toBe(true);
});

test('a registry’s refusal names the request and the status', async () => {
  registry.broken = true;
  await expect(pushImage(registry.address, 'docker.io/library/a:1', image)).rejects.toThrow(/POST .* answered 503/);
});

test.each([
  ['docker.io/library/busybox:latest', 'library/busybox', 'latest'],
  ['registry.k8s.io/pause:3.10', 'pause', '3.10'],
  ['registry.k8s.io/e2e-test-images/agnhost:2.63.0', 'e2e-test-images/agnhost', '2.63.0'],
])('%s is repository %s, tag %s', (name, repository, tag) => {
  expect(repositoryAndTag(name)).toEqual({ repository, tag });
});

test('a name without registry or tag is refused', () => {
  expect(() => repositoryAndTag('busybox')).toThrow(/registry\/repository:tag/);
});
