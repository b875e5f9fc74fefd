import { DevClusterError } from '../errors.ts';
import { http, type HttpOptions, type HttpResponse } from '../host/http.ts';
import type { Blob, Image } from './oci.ts';

const registryTimeoutMs = 60_000;

/** `docker.io/library/busybox:latest` → repository `library/busybox`, tag `latest`: what a mirror is asked for. */
export function repositoryAndTag(image: string): { repository: string; tag: string } {
  const match = /^[^/]+\/(.+):([^:/]+)$/.exec(image);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new DevClusterError('invalid', `"${image}" is not a full image name: write it as registry/repository:tag`);
  }
  return { repository: match[1], tag: match[2] };
}

/**
 * Uploads an image under a name, by the registry's HTTP API (OCI distribution specification).
 *
 * @param sharing name of an image that the registry has, and may have layers of this one
 */
export async function pushImage(registry: string, name: string, image: Image, sharing?: string): Promise<void> {
  const { repository, tag } = repositoryAndTag(name);
  const base = `http://${registry}/v2/${repository}`;
  const from = sharing === undefined ? undefined : repositoryAndTag(sharing).repository;
  for (const part of [...image.layers, image.config]) await pushBlob(base, part, from);
  await call('PUT', `${base}/manifests/${tag}`, [201], {
    headers: { 'content-type': image.manifest.mediaType },
    body: image.manifest.content,
  });
}

async function pushBlob(base: string, { digest, content }: Blob, from: string | undefined): Promise<void> {
  const there = await http(`${base}/blobs/${digest}`, { method: 'HEAD', timeoutMs: registryTimeoutMs });
  if (there.status === 200) return;
  const mount = from === undefined ? '' : `?${new URLSearchParams({ mount: digest, from }).toString()}`;
  const { headers, status } = await call(
    'POST',
    `${base}/blobs/uploads/${mount}`,
    from === undefined ? [202] : [201, 202],
  );
  // It was there, and is in this repository now, too.
  if (status === 201) return;
  const location = new URL(headers.location ?? '', base);
  location.searchParams.set('digest', digest);
  await call('PUT', location.href, [201], { headers: { 'content-type': 'application/octet-stream' }, body: content });
}

async function call(
  method: string,
  url: string,
  expected: readonly number[],
  options: HttpOptions = {},
): Promise<HttpResponse> {
  const response = await http(url, { ...options, method, timeoutMs: registryTimeoutMs });
  if (expected.includes(response.status)) return response;
  throw new DevClusterError(
    'startup',
    `registry: ${method} ${url} answered ${response.status}: ${response.body.trim()}`,
  );
}
