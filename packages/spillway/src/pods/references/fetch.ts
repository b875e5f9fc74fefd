import {
  type ConfigMap,
  configMaps,
  isNotFound,
  isForbidden,
  type KubeClient,
  type KubeObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type Pod,
  type ResourceType,
  type Secret,
  secrets,
  type Service,
  serviceAccounts,
  type TokenRequest,
  type Clock,
  systemClock,
} from '@spillway/kube';
import type { ClaimSources } from '../../podspec/claims.ts';
import { type PodReferences, referencesOf, type TokenReference } from '../../podspec/references.ts';
import type { WorkloadSources } from '../../podspec/workload-sources.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { renewalTimeMs } from './token-renewal.ts';

/** What the objects of the pod's namespace come from. */
export interface ReferenceReader {
  /** Client of the node agent: the API server shows it exactly what its pods refer to. */
  readonly client: Pick<KubeClient, 'resource'>;
  /** At least those of the namespace, and `kubernetes` of `default`. */
  readonly services: (namespace: string) => readonly Service[];
  /** Whose cluster address it is. Default: nobody's */
  readonly serviceAt?: (address: string) => Service | undefined;
  /** Are tokens of pods that run renewed? If not, they are asked for a day. Default: true */
  readonly renewsTokens?: boolean;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** For jitter; 0 ≤ x < 1. Default: Math.random */
  readonly random?: () => number;
}

export interface FetchedReferences extends WorkloadSources {
  /** When the first of the tokens is to be renewed; Infinity: there is none. */
  readonly renewAtMs: number;
}

/**
 * Reads exactly the objects that the pod refers to, fresh, and asks for its tokens. What is not there is left out.
 *
 * @throws ApiError, TransportError when it cannot be known whether an object is there
 */
export async function fetchReferences(
  pod: Pod,
  reader: ReferenceReader,
  signal: AbortSignal,
  references: PodReferences = referencesOf(pod),
): Promise<FetchedReferences> {
  const { client, services, clock = systemClock } = reader;
  const { namespace } = instanceRef(pod);
  const read = async <T extends KubeObject>(
    type: ResourceType<T>,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, T>> => {
    const found = await Promise.all(
      names.map(async (name) => {
        const object = await present(() => client.resource(type).get({ namespace, name }, { signal }), clock, signal);
        return object && ([name, object] as const);
      }),
    );
    return new Map(found.filter((entry) => entry !== undefined));
  };
  const readClaims = async (): Promise<ClaimSources> => {
    const claims = await read<PersistentVolumeClaim>(persistentVolumeClaims, references.claims);
    // Others, a node may not read.
    const bound = [...claims.values()].flatMap(({ spec, status }) =>
      status?.phase === 'Bound' ? (spec?.volumeName ?? []) : [],
    );
    const volumes = await read<PersistentVolume>(persistentVolumes, bound);
    return {
      claim: (_, name) => claims.get(name),
      volume: (name) => volumes.get(name),
    };
  };
  const [configMapsByName, secretsByName, claims, tokens] = await Promise.all([
    read<ConfigMap>(configMaps, namesOf(references.configMaps)),
    read<Secret>(secrets, namesOf(references.secrets)),
    readClaims(),
    requestTokens(pod, references.tokens, reader, signal),
  ]);
  return {
    configMap: (name) => configMapsByName.get(name),
    secret: (name) => secretsByName.get(name),
    claims,
    token: (reference) => tokens.get(tokenKey(reference))?.token,
    services: services(namespace),
    renewAtMs: Math.min(...Array.from(tokens.values(), ({ renewAtMs }) => renewAtMs)),
  };
}

function namesOf(objects: PodReferences['secrets']): string[] {
  return objects.map(({ name }) => name);
}

const unrenewedLifeSeconds = 24 * 3600;

interface IssuedToken {
  readonly token: string;
  readonly renewAtMs: number;
}

/** Tokens of the pod's service account, bound to the pod: they end with it. */
async function requestTokens(
  pod: Pod,
  references: readonly TokenReference[],
  { client, renewsTokens = true, clock = systemClock, random = Math.random }: ReferenceReader,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, IssuedToken>> {
  const { uid, namespace, name } = instanceRef(pod);
  const account = pod.spec?.serviceAccountName ?? 'default';
  const askedMs = clock.now();
  const found = await Promise.all(
    references.map(async (reference) => {
      const expirationSeconds = renewsTokens
        ? reference.expirationSeconds
        : Math.max(reference.expirationSeconds, unrenewedLifeSeconds);
      const request: TokenRequest = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: reference.audience === '' ? [] : [reference.audience],
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      };
      const answer = await present(
        () =>
          client
            .resource(serviceAccounts)
            .create<TokenRequest>(request, { subresource: 'token', namespace, name: account, signal }),
        clock,
        signal,
      );
      const token = answer?.status?.token;
      if (token === undefined) return undefined;
      // The API server may give it another life than we asked for.
      const lifeSeconds = answer?.spec?.expirationSeconds ?? expirationSeconds;
      return [tokenKey(reference), { token, renewAtMs: renewalTimeMs(askedMs, lifeSeconds, random()) }] as const;
    }),
  );
  return new Map(found.filter((entry) => entry !== undefined));
}

function tokenKey({ volume, path, audience }: TokenReference): string {
  return [volume, path, audience].join('\n');
}

/** How long the API server's authoriser may lag behind its watch before a refusal counts. */
const authorizerLagMs = [25, 50, 100, 200, 400, 800] as const;

/**
 * Undefined when the object does not exist. A node may read what its pods refer to, but the authoriser learns of a pod
 * at about the time when we do; so a first refusal says nothing, and none ever means that the object is not there.
 */
async function present<T>(call: () => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T | undefined> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (isNotFound(error)) return undefined;
      const pauseMs = authorizerLagMs[attempt];
      if (!isForbidden(error) || pauseMs === undefined) throw error;
      await clock.sleep(pauseMs, signal);
      signal.throwIfAborted();
    }
  }
}
