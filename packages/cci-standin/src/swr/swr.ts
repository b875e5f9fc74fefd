import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pushImage, type Cluster, type Image } from '@spillway/devcluster';
import type { Clock } from '@spillway/kube';
import type { Account } from '../accounts.ts';
import { RegionError } from '../errors.ts';
import type { Faults } from '../faults.ts';
import type { AuthenticationSources } from '../gateway/authenticate.ts';
import { RestartableServer, type ServerOptions } from '../gateway/server.ts';
import { Upstream } from '../gateway/upstream.ts';
import { organizationOf } from './access.ts';
import { serveLoginRequest } from './login-request.ts';
import { Logins } from './logins.ts';
import { serveRegistry } from './registry.ts';

/** The region's image registry. */
export interface Swr {
  /** As image names begin: `swr.<region>.myhuaweicloud.com`. Only the region's own containers find it by this name. */
  readonly host: string;
  /** Where it really is, for the region's containers and for this machine. */
  readonly endpoint: string;
  /** Of its API, which gives temporary logins. */
  readonly apiEndpoint: string;
  /** Returns the image's name: `team/app:1` becomes `swr.<region>.myhuaweicloud.com/team/app:1`. */
  push(name: string, image: Image, options?: PushOptions): Promise<string>;
}

export interface PushOptions {
  /** Whose organization it is; an organization has one owner for ever. Default: the region's first account */
  readonly account?: Account;
  /** Everybody may pull it. Default: false */
  readonly isPublic?: boolean;
}

export interface SwrOptions {
  readonly region: string;
  readonly accounts: readonly Account[];
  readonly cluster: Cluster;
  readonly sources: AuthenticationSources;
  readonly faults: Faults;
  readonly clock: Clock;
}

/** Images that come with the region, in the registry by their own names. */
const library = 'library';

export async function startSwr(options: SwrOptions, undo: AsyncDisposableStack): Promise<Swr> {
  const { region, accounts, cluster, sources, faults, clock } = options;
  const host = `swr.${region}.myhuaweicloud.com`;
  const logins = new Logins(sources.accessKeys, clock);
  const owners = new Map<string, string>();
  const open = new Set<string>();
  // The registry behind it answers everybody in the cluster: who does not know the name does not find private images there.
  const hidden = `swr-${randomBytes(12).toString('hex')}`;
  const locate = (repository: string): string =>
    organizationOf(repository) === library ? repository : `${hidden}/${repository}`;
  const upstream = new Upstream({ server: `http://${cluster.registry}` });
  undo.defer(() => upstream.close());
  const registry = {
    faults,
    clock,
    logins,
    organizations: {
      ownerOf: (organization: string) => owners.get(organization),
      isPublic: (repository: string) => organizationOf(repository) === library || open.has(repository),
    },
    upstream,
    locate,
  };

  const tls = await cluster.issue({
    commonName: host,
    dnsNames: [host, `swr-api.${region}.myhuaweicloud.com`],
    ipAddresses: [cluster.hostAddress],
    usages: ['server'],
  });
  const listen = async (handle: ServerOptions['handle']): Promise<string> => {
    const server = new RestartableServer({ tls, host: cluster.hostAddress, handle });
    await server.start();
    undo.defer(() => server.stop());
    return server.url;
  };
  const endpoint = await listen((request, response) => serveRegistry(registry, request, response));
  const apiEndpoint = await listen((request, response) =>
    serveLoginRequest({ sources, logins, host }, request, response),
  );
  const folder = cluster.nodeContainerd?.registryConfigDir;
  if (folder !== undefined) await nameRegistry(folder, host, endpoint, cluster.ca.certFile);

  return {
    host,
    endpoint,
    apiEndpoint,
    async push(name, image, { account = accounts[0], isPublic = false } = {}) {
      const repository = name.slice(0, name.lastIndexOf(':'));
      const organization = organizationOf(repository);
      if (account === undefined || organization === '' || organization === library) {
        throw new RegionError(`"${name}" cannot be pushed: write it as organization/repository:tag`);
      }
      const owner = owners.get(organization) ?? account.project.id;
      if (owner !== account.project.id)
        throw new RegionError(`organization ${organization} belongs to another project`);
      await pushImage(cluster.registry, `${host}/${hidden}/${name}`, image);
      owners.set(organization, owner);
      if (isPublic) open.add(repository);
      return `${host}/${name}`;
    },
  };
}

/** containerd reads it at each pull. */
async function nameRegistry(folder: string, host: string, endpoint: string, caFile: string): Promise<void> {
  await mkdir(join(folder, host), { recursive: true });
  const ca = `ca = "${caFile}"`;
  // After a 404 it asks the server, too.
  const file = `server = "${endpoint}"\n${ca}\n\n[host."${endpoint}"]\n  capabilities = ["pull", "resolve"]\n  ${ca}\n`;
  await writeFile(join(folder, host, 'hosts.toml'), file);
}
