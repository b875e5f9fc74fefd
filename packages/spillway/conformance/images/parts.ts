import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { busyboxFiles, currentEnvironment, type E2e, layerOf } from '@spillway/devcluster';
import { upstreamBusybox } from './busybox.ts';
import { imageFiles, type Parts } from './catalogue.ts';
import { debianLayer } from '../../testkit/debian-layer.ts';

/** What the authors of the images install from the distribution that they build on, and what is essential there. */
const userland = (
  'base-files base-passwd bash dash coreutils findutils gawk grep hostname libc-bin ' +
  'mount procps sed tar util-linux gzip ' +
  'bind9-dnsutils curl iperf iproute2 iputils-ping netcat-openbsd socat'
).split(' ');

export interface PartsOptions {
  readonly e2e: E2e;
  /** As its authors publish it, which takes a compiler, or as Debian does: then a few tests fail. */
  readonly busybox: 'upstream' | 'debian';
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Makes what is missing of it. */
export async function resolveParts({ e2e, busybox, report, signal }: PartsOptions): Promise<Parts> {
  const dir = path.join(currentEnvironment().cacheDir, 'conformance');
  await mkdir(dir, { recursive: true });
  const layer = async (packages: readonly string[], without: readonly string[]): Promise<ReturnType<typeof layerOf>> =>
    layerOf(await readFile(await debianLayer(dir, packages, without, report, signal)));
  return {
    userland: await layer(userland, []),
    nginx: await layer(['nginx-light'], userland),
    busybox: await (busybox === 'debian' ? busyboxFiles() : busyboxFiles(await upstreamBusybox(dir, report, signal))),
    program: await contents(e2e.programs),
    file: await contents(Object.fromEntries(imageFiles.map((name) => [name, path.join(e2e.imageFiles, name)]))),
  };
}

async function contents(files: Readonly<Record<string, string>>): Promise<(name: string) => Uint8Array> {
  const read = new Map(
    await Promise.all(Object.entries(files).map(async ([name, file]) => [name, await readFile(file)] as const)),
  );
  return (name) => {
    const content = read.get(name);
    if (content === undefined) throw new Error(`no ${name} for the images of tests`);
    return content;
  };
}
