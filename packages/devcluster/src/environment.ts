import { homedir } from 'node:os';
import { join } from 'node:path';

/** What devcluster takes from the user's environment. Nothing else in the package reads `process.env` for a decision. */
export interface Environment {
  /** Where clusters live: `$XDG_STATE_HOME/spillway/clusters`. */
  readonly clustersDir: string;
  /** Where programs are kept by version: `$XDG_CACHE_HOME/spillway/devcluster`. */
  readonly cacheDir: string;
  /** `KUBEBUILDER_ASSETS`: a folder with etcd, kube-apiserver, … that is preferred to all other sources. */
  readonly assetsDir: string | undefined;
  /** `SPILLWAY_KUBERNETES_VERSION`: of clusters that do not ask for one. */
  readonly kubernetesVersion: string | undefined;
  readonly uid: number;
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
}

export function currentEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  const state = variables['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  const cache = variables['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return {
    clustersDir: join(state, 'spillway', 'clusters'),
    cacheDir: join(cache, 'spillway', 'devcluster'),
    assetsDir: variables['KUBEBUILDER_ASSETS'] || undefined,
    kubernetesVersion: variables['SPILLWAY_KUBERNETES_VERSION'] || undefined,
    uid: process.getuid?.() ?? -1,
    platform: process.platform,
    arch: process.arch,
  };
}
