import type { Node, NodeCondition, Patch, Taint } from '@spillway/kube';
import {
  heartbeatConditionType,
  isOwnNode,
  labelsAnnotation,
  nodeAnnotations,
  type NodeFacts,
  nodeLabels,
  nodeStatus,
  nodeTaints,
  ownTaintKeys,
  providerId,
} from './node-object.ts';

/**
 * What brings labels, taints and provider id to what they should be; undefined when they are, or the node is not ours. Labels, annotations and
 * taints of others stay. Taints are one list, so the patch holds only for the version that was looked at (409 otherwise).
 */
export function nodeMetadataPatch(live: Node, facts: NodeFacts): Patch | undefined {
  if (!isOwnNode(live)) return undefined;
  const labels = nodeLabels(facts);
  const before = live.metadata?.annotations?.[labelsAnnotation];
  const changedLabels: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(labels)) {
    if (live.metadata?.labels?.[key] !== value) changedLabels[key] = value;
  }
  for (const key of before?.split(',') ?? []) {
    if (!(key in labels) && live.metadata?.labels?.[key] !== undefined) changedLabels[key] = null;
  }
  const annotations = Object.entries(nodeAnnotations(facts)).filter(
    ([key, value]) => live.metadata?.annotations?.[key] !== value,
  );
  const ours = ownTaintKeys(facts, live.metadata?.annotations ?? {});
  const taints = mergedTaints(live.spec?.taints ?? [], nodeTaints(facts), ours);
  const spec = {
    ...(taints === undefined ? {} : { taints }),
    // Immutable once it is set, by whomever.
    ...(live.spec?.providerID ? {} : { providerID: providerId(facts) }),
  };
  const metadata = {
    ...(Object.keys(changedLabels).length > 0 ? { labels: changedLabels } : {}),
    ...(annotations.length > 0 ? { annotations: Object.fromEntries(annotations) } : {}),
  };
  if (Object.keys(spec).length === 0 && Object.keys(metadata).length === 0) return undefined;
  return {
    type: 'merge',
    body: {
      metadata: { ...metadata, uid: live.metadata?.uid, resourceVersion: live.metadata?.resourceVersion },
      ...(Object.keys(spec).length > 0 ? { spec } : {}),
    },
  };
}

/** Undefined when ours are there as they should be. */
function mergedTaints(
  live: readonly Taint[],
  own: readonly Taint[],
  ownKeys: ReadonlySet<string>,
): Taint[] | undefined {
  const found = live.filter(({ key }) => ownKeys.has(key));
  const isRight =
    found.length === own.length &&
    own.every((taint) =>
      found.some(
        (other) =>
          other.key === taint.key && other.effect === taint.effect && (other.value ?? '') === (taint.value ?? ''),
      ),
    );
  return isRight ? undefined : [...live.filter(({ key }) => !ownKeys.has(key)), ...own];
}

/**
 * The strategic merge patch of the node's status; undefined when nothing is to be said. A heartbeat stamps our
 * conditions; conditions, addresses and resources of others stay.
 */
export function nodeStatusPatch(
  live: Node,
  facts: NodeFacts,
  { now, heartbeat }: { now: string; heartbeat: boolean },
): Patch | undefined {
  const wanted = nodeStatus(facts);
  const current = live.status ?? {};
  const conditions = (wanted.conditions ?? []).flatMap((condition) => {
    const known = current.conditions?.find(({ type }) => type === condition.type);
    const isSame =
      known?.status === condition.status && known.reason === condition.reason && known.message === condition.message;
    return isSame && !heartbeat ? [] : [stamped(condition, known, now)];
  });
  const outdated = (current.conditions ?? []).filter(
    ({ type }) => type === heartbeatConditionType && !wanted.conditions?.some((condition) => condition.type === type),
  );
  const addresses = (wanted.addresses ?? []).filter(
    ({ type, address }) => !current.addresses?.some((other) => other.type === type && other.address === address),
  );
  const status: Record<string, unknown> = {
    ...(conditions.length + outdated.length > 0
      ? { conditions: [...conditions, ...outdated.map(({ type }) => ({ type, $patch: 'delete' }))] }
      : {}),
    ...(addresses.length > 0 ? { addresses } : {}),
    ...changedEntries('capacity', wanted.capacity, current.capacity),
    ...changedEntries('allocatable', wanted.allocatable, current.allocatable),
    ...changedEntries('nodeInfo', wanted.nodeInfo, current.nodeInfo),
    ...(current.daemonEndpoints?.kubeletEndpoint?.Port === facts.kubeletPort
      ? {}
      : { daemonEndpoints: wanted.daemonEndpoints }),
  };
  if (Object.keys(status).length === 0) return undefined;
  return { type: 'strategic', body: { metadata: { uid: live.metadata?.uid }, status } };
}

function stamped(condition: NodeCondition, known: NodeCondition | undefined, now: string): NodeCondition {
  const since = known?.status === condition.status ? known.lastTransitionTime : undefined;
  return { ...condition, lastHeartbeatTime: now, lastTransitionTime: since ?? now };
}

function changedEntries(
  field: string,
  wanted: object | undefined,
  current: object | undefined,
): Record<string, unknown> {
  const known = new Map<string, unknown>(Object.entries(current ?? {}));
  const changed = Object.entries(wanted ?? {}).filter(([key, value]) => (known.get(key) ?? '') !== value);
  return changed.length > 0 ? { [field]: Object.fromEntries(changed) } : {};
}
