import { join } from 'node:path';
import { currentEnvironment } from '../environment.ts';
import { DevClusterError } from '../errors.ts';
import { defaultKubernetesVersion } from '../kubernetes-version.ts';
import type { BinaryName } from './catalogue.ts';
import { moduleFolder } from './module-folder.ts';
import { type BinaryProgress, resolveBinaries } from './resolve.ts';

/** Kubernetes' own tests of clusters, and what the images that they use are made of. */
export interface E2e {
  readonly version: string;
  /** The tests, as `go test -c` makes them. */
  readonly tests: string;
  /** Runs them, several at a time. */
  readonly ginkgo: string;
  /** Static programs of the images. */
  readonly programs: Readonly<
    Record<'agnhost' | 'coredns' | 'etcd' | 'nonewprivs' | 'pause' | 'sample-apiserver', string>
  >;
  /** Folder with the files of the images, `agnhost` and so on, in Kubernetes' own tree. */
  readonly imageFiles: string;
}

export interface ResolveE2eOptions {
  readonly report?: (progress: BinaryProgress) => void;
  readonly signal?: AbortSignal;
}

/** In the order in which they are made: the tests, which take minutes, come last. */
const e2eBinaries = [
  'etcd',
  'coredns',
  'agnhost',
  'pause',
  'ginkgo',
  'nonewprivs',
  'sample-apiserver',
  'e2e.test',
] as const satisfies readonly BinaryName[];

/** Builds what the cache lacks. Needs Go in any case: files of the images are read from the module of Kubernetes. */
export async function resolveE2e({ report, signal }: ResolveE2eOptions = {}): Promise<E2e> {
  const module = `k8s.io/kubernetes@v${defaultKubernetesVersion}`;
  const source = await moduleFolder('e2e', module, signal);
  const found = await resolveBinaries(e2eBinaries, {
    environment: currentEnvironment(),
    kubernetesVersion: defaultKubernetesVersion,
    ...(report ? { report } : {}),
    ...(signal ? { signal } : {}),
  });
  const program = (name: (typeof e2eBinaries)[number]): string => {
    const path = found[name];
    if (path !== undefined) return path;
    throw new DevClusterError('binary', `no program ${name} for the tests of Kubernetes`);
  };
  return {
    version: defaultKubernetesVersion,
    tests: program('e2e.test'),
    ginkgo: program('ginkgo'),
    programs: {
      agnhost: program('agnhost'),
      coredns: program('coredns'),
      etcd: program('etcd'),
      nonewprivs: program('nonewprivs'),
      pause: program('pause'),
      'sample-apiserver': program('sample-apiserver'),
    },
    imageFiles: join(source, 'test/images'),
  };
}
