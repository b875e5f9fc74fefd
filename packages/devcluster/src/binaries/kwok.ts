import { join } from 'node:path';
import { currentEnvironment } from '../environment.ts';
import { DevClusterError } from '../errors.ts';
import { kwokVersion } from './catalogue.ts';
import { moduleFolder } from './module-folder.ts';
import { resolveBinaries } from './resolve.ts';

/** KWOK, the simulator of nodes and pods that virtual nodes are measured against. */
export interface Kwok {
  readonly version: string;
  readonly program: string;
  /** Its published stages: what `kwok --config` takes so that pods become Ready, and are deleted, without delay. */
  readonly fastStages: readonly string[];
}

export interface ResolveKwokOptions {
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const stages = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
];

/** Builds it when the cache has none. Needs Go in any case: the stages are read from the module's own files. */
export async function resolveKwok({ log, signal }: ResolveKwokOptions = {}): Promise<Kwok> {
  const folder = await moduleFolder('kwok', `sigs.k8s.io/kwok@v${kwokVersion}`, signal);
  const { kwok } = await resolveBinaries(['kwok'], {
    environment: currentEnvironment(),
    report: ({ name, version, state, detail }) => {
      if (state !== 'cached') log?.(`${name} ${version}: ${state}, ${detail}`);
    },
    ...(signal ? { signal } : {}),
  });
  if (kwok === undefined) throw new DevClusterError('binary', `no program of kwok ${kwokVersion}`);
  const fastStages = stages.map((path) => join(folder, 'kustomize/stage', path));
  return { version: kwokVersion, program: kwok, fastStages };
}
