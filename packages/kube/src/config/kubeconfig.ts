import type { ClusterConfig } from './cluster-config.ts';

export interface LoadKubeconfigOptions {
  /** Merged like kubectl's KUBECONFIG: the first file that names a thing wins. Files that do not exist are skipped unless none exists. */
  readonly paths: readonly string[];
  /** Default: the current context of the first file that has one */
  readonly context?: string;
}

/** @throws KubeconfigError that names the file and what to do */
export function loadKubeconfig(options: LoadKubeconfigOptions): Promise<ClusterConfig> {
  throw new Error(`not implemented: ${options.paths.join()}`);
}
