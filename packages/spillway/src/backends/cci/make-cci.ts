import { type Clock, type Logger, systemClock } from '@spillway/kube';
import type { ImageReplacement } from '../../podspec/image-replacement.ts';
import type { Interconnect } from '../../podspec/fit/support.ts';
import { sentences } from '../../podspec/words.ts';
import type { Owner } from '../backend.ts';
import { connectedDialect } from '../kubernetes/dialect.ts';
import { KubernetesBackend } from '../kubernetes/kubernetes-backend.ts';
import { readAuthority } from './authority-file.ts';
import { callLimits, type RateLimits } from './call-limits.ts';
import { CciConnection } from './connect.ts';
import { environmentLogin, fileLogin } from './credentials/login-source.ts';
import { type CciDialect, dialects, type NetworkSettings } from './dialects.ts';
import { endpointsOf } from './endpoints.ts';
import { cciHome } from './home.ts';
import { Images } from './images/images.ts';
import { podDialect } from './pod-dialect.ts';
import { namespaceName } from './prepare/namespace.ts';
import { prepare } from './prepare/prepare.ts';

export interface CciBackendOptions extends NetworkSettings {
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly iamEndpoint?: string | undefined;
  /** File, PEM */
  readonly ca?: string | undefined;
  readonly projectName?: string | undefined;
  readonly namespaceName?: string | undefined;
  readonly credentials: { readonly file?: string | undefined };
  readonly apiVersion: CciDialect['apiVersion'];
  readonly soldOutAfterSeconds: number;
  readonly volumeRefresh: boolean;
  readonly rateLimits: RateLimits;
  readonly imageReplacements: readonly ImageReplacement[];
  /** How pods reach Services of their cluster. Default: off */
  readonly interconnect?: Interconnect;
}

/** Pods in Huawei Cloud Container Instance. @throws BackendError when no namespace can be named after the cluster */
export function makeCciBackend({
  options,
  owner,
  environment,
  beforeSend,
  logger,
  clock = systemClock,
}: {
  readonly options: CciBackendOptions;
  readonly owner: Owner;
  /** Has the access key, unless a file is configured. */
  readonly environment: NodeJS.ProcessEnv;
  /** Called right before each request to CCI leaves. Throws when it must not. */
  readonly beforeSend?: () => void;
  readonly logger: Logger;
  readonly clock?: Clock;
}): KubernetesBackend {
  const { region, projectId, projectName, credentials, apiVersion, soldOutAfterSeconds, imageReplacements } = options;
  const dialect = dialects[apiVersion];
  const pods = connectedDialect(podDialect(dialect, options), options.interconnect ?? 'off');
  const namespace = namespaceName(dialect, owner.clusterId, options.namespaceName);
  const source = credentials.file === undefined ? environmentLogin(environment) : fileLogin(credentials.file);
  const connected = Promise.withResolvers<CciConnection>();
  const images = new Images({
    types: pods.types,
    namespace,
    region,
    project: projectName,
    replacements: imageReplacements,
    accessKey: async () => (await connected.promise).access.accessKey,
    clock,
  });
  return new KubernetesBackend({
    dialect: pods,
    namespace,
    owner,
    logger,
    placeWithinMs: soldOutAfterSeconds * 1000,
    clock,
    connect: async () => {
      const ca = await readAuthority(options.ca);
      const endpoints = endpointsOf(options);
      const { lanes, rate } = callLimits(options.rateLimits);
      const connection = new CciConnection({
        dialect,
        endpoints,
        ca,
        projectId,
        namespace,
        source,
        lanes,
        rate,
        beforeSend,
        clock,
        logger,
      });
      connected.resolve(connection);
      return connection;
    },
    prepare: async (_client, signal, tell) => {
      const { send, access } = await connected.promise;
      await prepare(
        {
          dialect,
          send,
          userToken: () => access.userToken,
          clusterId: owner.clusterId,
          namespace,
          network: options,
          onProgress: (says, remedy) =>
            tell({
              severity: remedy === undefined ? 'Normal' : 'Warning',
              reason: 'CCINetworkPending',
              message: sentences(says, remedy),
            }),
          clock,
        },
        signal,
      );
    },
    adapt: (workload, context, signal) => images.adapt(workload, context, signal),
    home: cciHome(dialect),
    forgetLogins: (client, signal) => images.forget(client, signal),
    tidyLogins: (client, signal, removed) => images.tidy(client, signal, removed),
    changeLogins: ({ spec }, secrets, context, signal) =>
      images.bringLogins(spec ?? { containers: [] }, secrets, context, signal),
  });
}
