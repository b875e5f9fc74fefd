import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../environment.ts';
import { DevClusterError, errorMessage } from '../errors.ts';
import type { KubernetesVersion } from '../kubernetes-version.ts';
import { withLock } from '../lock.ts';
import { binary, goPlatform, type Binary, type BinaryName } from './catalogue.ts';
import { fetchBinary, publishedChecksum } from './download.ts';
import { goBuild, goVersion } from './go-build.ts';
import { BinaryStore } from './store.ts';

export type BinaryPaths = Partial<Record<BinaryName, string>>;

export interface ResolveOptions {
  readonly environment: Environment;
  /** Of Kubernetes' own programs; default: the newest that is known. */
  readonly kubernetesVersion?: KubernetesVersion;
  /** Paths that are used as they are, before anything else. */
  readonly given?: BinaryPaths;
  /** Read every cached program and compare its checksum; otherwise only when its size or time changed. */
  readonly thorough?: boolean;
  readonly report?: (progress: BinaryProgress) => void;
  readonly signal?: AbortSignal;
}

export interface BinaryProgress {
  readonly name: BinaryName;
  readonly version: string;
  readonly state: 'cached' | 'downloading' | 'building' | 'done' | 'waiting';
  readonly detail: string;
}

export const defaultToolsDir: string = fileURLToPath(new URL('../../tools', import.meta.url));

/**
 * A path for each of `names`, from the first source that has it: given paths or `KUBEBUILDER_ASSETS`, the cache, the
 * official release where its site can be reached, `go build` of the pinned modules.
 */
export async function resolveBinaries(names: readonly BinaryName[], options: ResolveOptions): Promise<BinaryPaths> {
  const { environment } = options;
  const store = new BinaryStore(environment.cacheDir, defaultToolsDir);
  const found: BinaryPaths = {};
  const missing: Binary[] = [];
  for (const name of names) {
    const wanted = binary(name, options.kubernetesVersion);
    const path =
      options.given?.[name] ??
      (await inAssets(environment, name)) ??
      (await store.find(wanted, options.thorough ?? false));
    if (path === undefined) missing.push(wanted);
    else {
      found[name] = path;
      options.report?.({ name, version: wanted.version, state: 'cached', detail: path });
    }
  }
  for (const wanted of missing) {
    const waiting = (): void =>
      options.report?.({ ...label(wanted), state: 'waiting', detail: 'another process is making it' });
    found[wanted.name] = await withLock(
      `binary ${await store.path(wanted)}`,
      async () => (await store.find(wanted, true)) ?? (await obtain(wanted, store, options)),
      waiting,
    );
  }
  return found;
}

async function obtain(wanted: Binary, store: BinaryStore, options: ResolveOptions): Promise<string> {
  const { signal, report } = options;
  const platform = goPlatform(options.environment.platform, options.environment.arch);
  const download = wanted.download?.(platform.os, platform.arch);
  const checksum = download && (await publishedChecksum(download, signal));
  if (download !== undefined && checksum !== undefined) {
    report?.({ ...label(wanted), state: 'downloading', detail: download.url });
    try {
      const path = await store.put(wanted, download.url, (to) => fetchBinary(download, checksum, to, signal));
      report?.({ ...label(wanted), state: 'done', detail: path });
      return path;
    } catch (error) {
      signal?.throwIfAborted();
      report?.({ ...label(wanted), state: 'building', detail: `the download failed: ${errorMessage(error)}` });
    }
  }
  const go = await goVersion();
  if (go === undefined) throw new DevClusterError('binary', noSource(wanted, options.environment));
  report?.({ ...label(wanted), state: 'building', detail: `${go} build ${wanted.goPackage}` });
  const path = await store.put(wanted, `${go} build`, (to) => goBuild(wanted, defaultToolsDir, to, signal));
  report?.({ ...label(wanted), state: 'done', detail: path });
  return path;
}

function noSource(wanted: Binary, environment: Environment): string {
  const official = wanted.download ? 'its release site cannot be reached' : 'there is no official download of it';
  return (
    `${wanted.name} ${wanted.version} is not in ${environment.cacheDir}, ${official}, and there is no Go 1.21 or newer ` +
    `in PATH to build it. Install Go (https://go.dev/dl, or a package of your system) and run the same command again` +
    (wanted.containersOnly ? '' : ', or set KUBEBUILDER_ASSETS to a folder that holds it')
  );
}

function label(wanted: Binary): Pick<BinaryProgress, 'name' | 'version'> {
  return { name: wanted.name, version: wanted.version };
}

async function inAssets(environment: Environment, name: BinaryName): Promise<string | undefined> {
  if (environment.assetsDir === undefined) return undefined;
  const path = join(environment.assetsDir, name);
  return access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  );
}
