import { join } from 'node:path';
import { KubeconfigError } from '../errors.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { refreshedCredentials } from './credentials.ts';
import { isMissingFile, readTextFile } from './read-text-file.ts';

export interface InClusterOptions {
  /** Default: /var/run/secrets/kubernetes.io/serviceaccount */
  readonly directory?: string | undefined;
  /** Value of KUBERNETES_SERVICE_HOST. Default: kubernetes.default.svc, which needs cluster DNS */
  readonly host?: string | undefined;
  /** Value of KUBERNETES_SERVICE_PORT. Default: 443 */
  readonly port?: string | number | undefined;
}

/** The service account of the pod that this process runs in. The kubelet rotates its token; it is read again. @throws KubeconfigError */
export async function inClusterConfig(options: InClusterOptions = {}): Promise<ClusterConfig> {
  const directory = options.directory ?? '/var/run/secrets/kubernetes.io/serviceaccount';
  const host = options.host ?? 'kubernetes.default.svc';
  const read = async (file: string): Promise<string> => {
    try {
      return (await readTextFile(join(directory, file), 'service account of this pod')).trim();
    } catch (cause) {
      if (!isMissingFile(cause)) throw cause;
      throw new KubeconfigError(
        `no service account in ${directory} (${file} is missing): not in a pod, or one with automountServiceAccountToken: false. Outside a cluster, specify a kubeconfig`,
        { cause },
      );
    }
  };
  const credentials = refreshedCredentials({ read: async () => ({ token: await read('token') }) });
  await credentials.current();
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${options.port ?? 443}`,
    ca: await read('ca.crt'),
    insecureSkipTlsVerify: false,
    namespace: await read('namespace'),
    credentials,
    source: 'in-cluster configuration',
  };
}
