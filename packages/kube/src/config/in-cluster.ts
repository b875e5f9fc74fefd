import type { ClusterConfig } from './cluster-config.ts';

export interface InClusterOptions {
  /** Default: /var/run/secrets/kubernetes.io/serviceaccount */
  readonly directory?: string;
  /** Values of KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  readonly host: string;
  readonly port: string;
}

/** The service account of the pod that this process runs in. @throws KubeconfigError */
export function inClusterConfig(options: InClusterOptions): Promise<ClusterConfig> {
  throw new Error(`not implemented: ${options.host}`);
}
