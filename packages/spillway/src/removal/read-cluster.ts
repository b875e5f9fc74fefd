import {
  type CertificateSigningRequest,
  certificateSigningRequests,
  type ClusterRole,
  clusterRoles,
  customResourceDefinitions,
  isNotFound,
  type KubeClient,
  type KubeObject,
  leases,
  nameOf,
  namespaces,
  nodes,
  type Pod,
  pods,
  type ResourceType,
  type Secret,
  secrets,
} from '@spillway/kube';
import { chartOf, recordSelector, releaseOf } from '../addon/helm-release.ts';
import { filesSecretName } from '../addon/installation/secret-mounts.ts';
import { admissionTypes, namespacesOf, rightTypes, workloadTypes } from '../addon/object-types.ts';
import { secretName } from '../admission/authority-secret.ts';
import { type Config, placementLeaseName, poolLeaseName } from '../config/config.ts';
import { linkSecretName } from '../link/secret-name.ts';
import { isOwnNode } from '../node/node-object.ts';
import { scheduleProfileCrd } from '../placement/rules/schedule-profile-crd.ts';
import { scheduleProfiles } from '../placement/rules/schedule-profile.ts';
import { burstScheduler, profileGate, virtualNodeType } from '../podspec/contract.ts';
import { isOfProduct, productSelectorText, selectorTextOf } from '../podspec/installation.ts';
import type { ClusterView } from './cluster-view.ts';
import { readHibernating } from './read-hibernating.ts';

/** What the chart of Helm installs in a namespace, and nothing else: rights for that are enough (`removalRights`). */
export interface RemovalScope {
  readonly namespace: string;
}

/** @param scope absent: whatever is labelled as of the installation, wherever it is. @throws ApiError, TransportError */
export async function readCluster(
  client: KubeClient,
  config: Config,
  scope: RemovalScope | undefined,
  signal: AbortSignal,
): Promise<ClusterView> {
  const { name, pools, leaderElection, admission, link } = config;
  const list = async <T extends KubeObject>(
    type: ResourceType<T>,
    labelSelector?: string,
    namespace?: string,
  ): Promise<T[]> => {
    const found: T[] = [];
    try {
      const options = { signal, labelSelector, ...(namespace !== undefined && { namespace }) };
      for await (const { items } of client.resource(type).pages(options)) found.push(...items);
    } catch (error) {
      // An older cluster has no such kind.
      if (!isNotFound(error)) throw error;
    }
    return found;
  };
  const requestsOf = async (nodeNames: readonly string[]): Promise<CertificateSigningRequest[]> => {
    const found: CertificateSigningRequest[] = [];
    const options = { fieldSelector: 'spec.signerName=kubernetes.io/kubelet-serving', signal };
    for await (const { items } of client.resource(certificateSigningRequests).pages(options)) found.push(...items);
    return found.filter(({ spec }) => nodeNames.some((node) => spec.username === `system:node:${node}`));
  };
  const get = async <T extends KubeObject>(type: ResourceType<T>, of: string, namespace?: string): Promise<T[]> => {
    const ref = namespace === undefined ? { name: of } : { namespace, name: of };
    try {
      return [await client.resource(type).get(ref, { signal })];
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  };
  /** Secrets that `spillway serve` has made. */
  const authoritiesOf = async (of: string, ofWebhooks: string, ofLink: string): Promise<KubeObject[]> =>
    (await Promise.all([get(secrets, secretName(of), ofWebhooks), get(secrets, linkSecretName(of), ofLink)])).flat();
  const listedOf = async (type: ResourceType<KubeObject>): Promise<KubeObject[]> => {
    const labels = selectorTextOf(name);
    if (scope === undefined || !type.namespaced) return await list(type, labels);
    if (type === secrets) return await get(secrets, filesSecretName(name), scope.namespace);
    const places = namespacesOf(type, scope.namespace);
    return (await Promise.all(places.map((place) => list(type, labels, place)))).flat();
  };
  const listed = async (types: readonly ResourceType<KubeObject>[]): Promise<KubeObject[]> =>
    (await Promise.all(types.map(listedOf))).flat();

  const recordsOf = async (objects: readonly KubeObject[]): Promise<Secret[]> => {
    const releases = new Map(
      objects.flatMap((each) => releaseOf(each) ?? []).map((each) => [JSON.stringify(each), each]),
    );
    const all = Array.from(releases.values(), (each) => list(secrets, recordSelector(each), each.namespace));
    return (await Promise.all(all)).flat();
  };

  const allNodes = await list(nodes, `${virtualNodeType.key}=${virtualNodeType.value}`);
  const named = (await Promise.all(pools.map(({ nodeName }) => get(nodes, nodeName)))).flat();
  const own = named.filter(isOwnNode);
  const foreignNodes = named.filter((node) => !isOwnNode(node));
  const foreign = new Set(foreignNodes.map(nameOf));
  const poolNodes = new Set(pools.map(({ nodeName }) => nodeName));
  const ownNodes = [...poolNodes].filter((node) => !foreign.has(node));
  const allPods = await list(pods);
  const [admissionObjects, workload, rights, authority, definitions, profiles, spaces, everybodysRoles] =
    await Promise.all([
      listed(admissionTypes),
      listed(workloadTypes),
      listed(rightTypes),
      authoritiesOf(name, admission.namespace, link.namespace),
      get(customResourceDefinitions, nameOf(scheduleProfileCrd)),
      list(scheduleProfiles),
      scope === undefined ? list(namespaces, productSelectorText) : [],
      list(clusterRoles, productSelectorText),
    ]);
  const records = scope === undefined ? await recordsOf([...workload, ...rights, ...admissionObjects]) : [];
  // Whatever the configuration says now: there may have been an election before.
  const electionLeases = [
    ...pools.map((pool) => poolLeaseName(leaderElection, pool)),
    placementLeaseName(leaderElection),
  ];
  const neighbours = neighboursIn(everybodysRoles, name);
  /** Of a pool that the configuration no longer has. */
  const isOfFormerPool = (lease: KubeObject): boolean => {
    const begins = (of: string): boolean => nameOf(lease).startsWith(`${of}-`);
    return !electionLeases.includes(nameOf(lease)) && begins(leaderElection.leaseName) && !neighbours.some(begins);
  };
  const found = await Promise.all([
    ...electionLeases.map((lease) => get(leases, lease, leaderElection.namespace)),
    ...(scope === undefined
      ? [list(leases, undefined, leaderElection.namespace).then((all) => all.filter(isOfFormerPool))]
      : []),
    ...ownNodes.map((node) => get(leases, node, nodeLeaseNamespace)),
  ]);
  return {
    admission: admissionObjects,
    workload,
    rights: [...rights, ...authority],
    nodes: own,
    foreignNodes,
    otherNodes: allNodes.filter((node) => isOwnNode(node) && !poolNodes.has(nameOf(node))),
    pods: allPods.filter(({ spec: { nodeName = '' } = {} }) => poolNodes.has(nodeName) && !foreign.has(nodeName)),
    waiting: allPods.filter(waitsForSpillway),
    leases: found.flat(),
    signingRequests: await requestsOf(ownNodes),
    records: records.filter((each) => chartOf(each) === ownChart),
    otherRecords: records.filter((each) => chartOf(each) !== ownChart),
    namespaces: spaces,
    definition: definitions.find(({ metadata }) => isOfProduct(metadata?.labels)),
    profiles,
    hibernating: scope === undefined ? await readHibernating(client, signal) : [],
    neighbours,
  };
}

export const nodeLeaseNamespace = 'kube-node-lease';
/** Name of the chart. */
const ownChart = 'spillway';

function waitsForSpillway({ spec, metadata }: Pod): boolean {
  const waits = spec?.nodeName === undefined && metadata?.deletionTimestamp === undefined;
  return waits && (spec?.schedulerName === burstScheduler || hasGate(spec?.schedulingGates));
}

const hasGate = (gates: readonly { readonly name: string }[] = []): boolean =>
  gates.some(({ name }) => name === profileGate);

function neighboursIn(found: readonly ClusterRole[], own: string): string[] {
  const names = found.map(({ metadata }) => metadata?.labels?.['app.kubernetes.io/instance'] ?? own);
  return [...new Set(names)].filter((name) => name !== own);
}
