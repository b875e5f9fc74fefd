import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { KubernetesConfig } from './config.ts';

/** Where the credentials for the API server come from. */
export type KubernetesAccess =
  | { readonly kind: 'inCluster'; readonly host: string; readonly port: string }
  | { readonly kind: 'kubeconfig'; readonly paths: readonly string[]; readonly context?: string };

export interface AccessEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Is there a service account of a pod? */
  readonly hasServiceAccount: boolean;
}

/** The only place that looks at the environment. */
export function processEnvironment(): AccessEnvironment {
  return {
    variables: process.env,
    home: homedir(),
    hasServiceAccount: existsSync('/var/run/secrets/kubernetes.io/serviceaccount/token'),
  };
}

/** A configured file, else the pod's service account, else `$KUBECONFIG`, else `~/.kube/config`. */
export function kubernetesAccess(config: KubernetesConfig, environment: AccessEnvironment): KubernetesAccess {
  const context = config.context === undefined ? {} : { context: config.context };
  if (config.kubeconfig !== undefined) return { kind: 'kubeconfig', paths: [config.kubeconfig], ...context };
  const { variables } = environment;
  const host = variables['KUBERNETES_SERVICE_HOST'];
  if (host && environment.hasServiceAccount && config.context === undefined) {
    return { kind: 'inCluster', host, port: variables['KUBERNETES_SERVICE_PORT'] ?? '443' };
  }
  const listed = (variables['KUBECONFIG'] ?? '').split(path.delimiter).filter((entry) => entry !== '');
  const paths = listed.length > 0 ? listed : [path.join(environment.home, '.kube', 'config')];
  return { kind: 'kubeconfig', paths, ...context };
}
