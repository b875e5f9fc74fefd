import type { KubeObject, Node } from '@spillway/kube';
import { isRecord } from './plain.ts';

/** On workloads and virtual nodes that hibernate: how they were before. JSON. */
export const hibernationAnnotation = 'spillway.dev/hibernation';

export const hibernationTargets = ['local', 'zero'] as const;
/** Pods on the nodes of the cluster only, or no pods. */
export type HibernationTarget = (typeof hibernationTargets)[number];

/** How a workload was. What is absent was not changed. Written by the request that changes it, so that one is never without the other. */
export interface WorkloadRecord {
  /** RFC 3339. */
  readonly since: string;
  /** There are 0 now. */
  readonly replicas?: number;
  /** It is suspended now, and was not. */
  readonly suspended?: true;
  /** The burst label of the pod template, null: it had none. It says `off` now. */
  readonly label?: string | null;
}

/** How a virtual node was. It is cordoned now. */
export interface NodeRecord {
  readonly since: string;
  readonly to: HibernationTarget;
  /** It was cordoned before, too. */
  readonly cordoned: boolean;
}

/** Undefined: the workload does not hibernate. Of an annotation that somebody has damaged only what can be read. */
export function workloadRecordOf(object: KubeObject): WorkloadRecord | undefined {
  const read = parsed(object);
  if (read === undefined) return undefined;
  const { since, replicas, suspended, label } = read;
  return {
    since: textOf(since),
    ...(typeof replicas === 'number' && Number.isInteger(replicas) && replicas >= 0 && { replicas }),
    ...(suspended === true && { suspended }),
    ...((typeof label === 'string' || label === null) && { label }),
  };
}

/** Undefined: the node does not hibernate. */
export function nodeRecordOf(node: Node): NodeRecord | undefined {
  const read = parsed(node);
  if (read === undefined) return undefined;
  const to = hibernationTargets.find((target) => target === read['to']) ?? 'zero';
  return { since: textOf(read['since']), to, cordoned: read['cordoned'] === true };
}

function parsed({ metadata }: KubeObject): Readonly<Record<string, unknown>> | undefined {
  const text = metadata?.annotations?.[hibernationAnnotation];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
