import { resolve } from 'node:path';
import { env } from 'node:process';
import { KubeconfigError } from '../errors.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { staticCredentials } from './credentials.ts';
import {
  type Entry,
  isRecord,
  type Kubeconfig,
  mergeKubeconfigs,
  parseKubeconfig,
  pathField,
  pemField,
  stringField,
} from './kubeconfig-file.ts';
import { userCredentials, userImpersonation } from './kubeconfig-user.ts';
import { isMissingFile, readTextFile } from './read-text-file.ts';

export interface LoadKubeconfigOptions {
  /** Merged like kubectl's KUBECONFIG: who names a thing first wins. Missing files are skipped unless all are missing. */
  readonly paths: readonly string[];
  /** Default: the current context of the first file that has one */
  readonly context?: string | undefined;
  /** For credential plugins. Default: the environment of this process */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Client certificates and tokens in files are read again when they change, those in the kubeconfig itself when the server
 * does not accept them any more.
 *
 * @throws KubeconfigError
 */
export async function loadKubeconfig({
  paths,
  context,
  environment = env,
}: LoadKubeconfigOptions): Promise<ClusterConfig> {
  const config = mergeKubeconfigs(await readAll(paths));
  const chosen = chooseContext(config, context);
  const cluster = find(config.clusters, chosen, 'cluster');
  const user = stringField(chosen, 'user') === undefined ? undefined : find(config.users, chosen, 'user');
  const userNow = async (): Promise<Entry> => {
    const now = mergeKubeconfigs(await readAll(paths));
    return find(now.users, chooseContext(now, chosen.name), 'user');
  };
  const reached = await clusterPart(cluster);
  const surroundings = { cluster: { ...reached, config: execConfig(cluster) }, environment };
  const impersonate = user === undefined ? undefined : userImpersonation(user);
  return {
    ...reached,
    namespace: stringField(chosen, 'namespace') ?? 'default',
    credentials: user === undefined ? staticCredentials({}) : await userCredentials(user, userNow, surroundings),
    ...(impersonate === undefined ? {} : { impersonate }),
    source: `${chosen.file} (context ${chosen.name})`,
  };
}

async function readAll(paths: readonly string[]): Promise<Kubeconfig[]> {
  const found: Kubeconfig[] = [];
  let missing: unknown;
  for (const path of paths.filter((given) => given !== '').map((given) => resolve(given))) {
    try {
      found.push(parseKubeconfig(await readTextFile(path, 'kubeconfig'), path));
    } catch (error) {
      if (!isMissingFile(error)) throw error;
      missing ??= error;
    }
  }
  if (found.length === 0) throw missing ?? new KubeconfigError('no kubeconfig given: specify a file');
  return found;
}

function chooseContext(config: Kubeconfig, wanted: string | undefined): Entry {
  const where = config.files.join(', ');
  const names = [...config.contexts.keys()];
  const choice = names.length === 0 ? 'It defines no context' : `It defines: ${names.join(', ')}`;
  const name = wanted ?? config.currentContext;
  if (name === undefined) throw new KubeconfigError(`${where} sets no current-context. ${choice}`);
  const context = config.contexts.get(name);
  if (context === undefined) throw new KubeconfigError(`${where} has no context "${name}". ${choice}`);
  return context;
}

function find(entries: ReadonlyMap<string, Entry>, context: Entry, what: 'cluster' | 'user'): Entry {
  const name = stringField(context, what);
  if (name === undefined) throw new KubeconfigError(`${context.file}: context "${context.name}" names no ${what}`);
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  throw new KubeconfigError(
    `${context.file}: context "${context.name}" names the ${what} "${name}", which is not defined. Defined: ${[...entries.keys()].join(', ') || 'none'}`,
  );
}

async function clusterPart(
  cluster: Entry,
): Promise<Pick<ClusterConfig, 'server' | 'ca' | 'insecureSkipTlsVerify' | 'tlsServerName'>> {
  if (stringField(cluster, 'proxy-url') !== undefined) {
    throw new KubeconfigError(`${cluster.file}: cluster "${cluster.name}" sets proxy-url, which is not supported`);
  }
  const caFile = pathField(cluster, 'certificate-authority');
  const ca =
    pemField(cluster, 'certificate-authority-data') ??
    (caFile === undefined
      ? undefined
      : await readTextFile(caFile, `certificate-authority of cluster "${cluster.name}" in ${cluster.file}`));
  const insecureSkipTlsVerify = cluster.value['insecure-skip-tls-verify'] === true;
  if (insecureSkipTlsVerify && ca !== undefined) {
    throw new KubeconfigError(
      `${cluster.file}: cluster "${cluster.name}" sets both certificate-authority and insecure-skip-tls-verify. Remove one`,
    );
  }
  const tlsServerName = stringField(cluster, 'tls-server-name');
  return {
    server: serverOf(cluster),
    ...(ca === undefined ? {} : { ca }),
    insecureSkipTlsVerify,
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
  };
}

/** What a cluster has for credential plugins. */
function execConfig(cluster: Entry): unknown {
  const extensions = cluster.value['extensions'];
  if (!Array.isArray(extensions)) return undefined;
  const found: unknown = extensions.find(
    (each) => isRecord(each) && each['name'] === 'client.authentication.k8s.io/exec',
  );
  return isRecord(found) ? found['extension'] : undefined;
}

function serverOf(cluster: Entry): string {
  const server = stringField(cluster, 'server');
  if (server === undefined) throw new KubeconfigError(`${cluster.file}: cluster "${cluster.name}" has no server`);
  const url = URL.parse(server);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new KubeconfigError(
      `${cluster.file}: server "${server}" of cluster "${cluster.name}" is not an address like https://10.0.0.1:6443`,
    );
  }
  return server.replace(/\/+$/, '');
}
