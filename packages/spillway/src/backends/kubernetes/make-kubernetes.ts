import { isAlreadyExists, KubeClient, type Logger, loadKubeconfig, namespaces } from '@spillway/kube';
import type { Interconnect } from '../../podspec/fit/support.ts';
import type { Owner } from '../backend.ts';
import { connectedDialect, kubernetesDialect } from './dialect.ts';
import { kubernetesHome } from './dismantle/home.ts';
import { KubernetesBackend } from './kubernetes-backend.ts';
import { type ClaimMapping, mappedClaims, supportOfMapped } from './mapped-claims.ts';
import { namespaceMarks } from './pods/marks.ts';

export interface KubernetesBackendOptions {
  readonly kubeconfig: string;
  readonly context?: string | undefined;
  readonly namespace: string;
  readonly createNamespace: boolean;
  readonly hostsImage?: string | undefined;
  readonly claims?: ClaimMapping;
  /** How pods reach Services of their cluster. Default: off */
  readonly interconnect?: Interconnect;
  /** Of the job that ends pods after a silence. Default: none is made */
  readonly deadManImage?: string | undefined;
}

/** Pods in a namespace of any cluster that a kubeconfig leads to. */
export function makeKubernetesBackend({
  options,
  owner,
  beforeSend,
  logger,
}: {
  readonly options: KubernetesBackendOptions;
  readonly owner: Owner;
  /** Called right before each request leaves. Throws when it must not. */
  readonly beforeSend?: () => void;
  readonly logger: Logger;
}): KubernetesBackend {
  const {
    kubeconfig,
    context,
    namespace,
    createNamespace,
    hostsImage,
    claims = {},
    interconnect = 'off',
    deadManImage,
  } = options;
  const dialect = { ...kubernetesDialect, support: supportOfMapped(claims), claims: mappedClaims(claims) };
  return new KubernetesBackend({
    dialect: connectedDialect(dialect, interconnect),
    namespace,
    owner,
    logger,
    hostsImage,
    home: kubernetesHome,
    deadManImage,
    connect: async () => {
      const config = await loadKubeconfig({ paths: [kubeconfig], context });
      const client = new KubeClient({ config, beforeSend, logger });
      return { client, close: () => client.close() };
    },
    prepare: async (client, signal) => {
      if (createNamespace) await ensureNamespace(client, namespace, owner.clusterId, signal);
    },
  });
}

async function ensureNamespace(
  client: KubeClient,
  name: string,
  clusterId: string,
  signal: AbortSignal,
): Promise<void> {
  const { labels, annotations } = namespaceMarks(clusterId);
  try {
    await client
      .resource(namespaces)
      .create({ metadata: { name, labels: { ...labels }, annotations: { ...annotations } } }, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
