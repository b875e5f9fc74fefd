import { type KubeObject, nameOf, uidOf } from '@spillway/kube';
import type { Dismantled, Instance, Remainder } from '../backends/backend.ts';
import type { ClusterView } from './cluster-view.ts';
import { isPlaceholder, ownerLine, ownersOf } from './owners.ts';
import type { Item, Left } from './report.ts';

/** What the backend of a pool has. */
export type PoolView = { readonly pool: string } & (
  | { readonly instances: readonly Instance[]; readonly dismantled: Dismantled }
  /** Why it cannot be told. */
  | { readonly trouble: string; readonly remedy?: string | undefined }
);

export interface Found {
  /** Of this installation: a removal takes it away. */
  readonly ours: readonly Item[];
  /** Of this installation, and it would stay. */
  readonly stays: readonly Left[];
  readonly others: readonly Left[];
}

export interface CrdChoice {
  readonly keepCrds: boolean;
}

export function foundInCluster(view: ClusterView, { keepCrds }: CrdChoice): Found {
  const {
    admission,
    records,
    workload,
    rights,
    nodes,
    leases,
    signingRequests,
    namespaces,
    definition,
    profiles,
    neighbours,
  } = view;
  const pods = view.pods.filter((pod) => !isPlaceholder(pod));
  const keepsCrd = whyCrdStays(view, keepCrds);
  const crds = definition === undefined ? [] : [definition, ...profiles];
  return {
    ours: [
      ...[...admission, ...pods, ...nodes, ...leases, ...signingRequests, ...records, ...workload, ...rights].map(
        itemOf,
      ),
      ...(keepsCrd === undefined ? crds.map(itemOf) : []),
      ...(neighbours.length === 0 ? namespaces.map(itemOf) : []),
    ],
    stays: [],
    others: [
      ...view.foreignNodes.map((node) =>
        left(node, 'was not created by Spillway; its pods and its lease are left alone'),
      ),
      ...view.otherNodes.map((node) =>
        left(
          node,
          'is a virtual node of Spillway that this configuration does not have',
          'If nothing serves it, uninstall it with its own configuration',
        ),
      ),
      ...view.otherRecords.map((record) => {
        const { name: release = '' } = record.metadata?.labels ?? {};
        return left(
          record,
          `is of the Helm release ${release}, of which Spillway is only a part`,
          `Take Spillway out of its chart, or remove it all: helm uninstall ${release} -n ${record.metadata?.namespace ?? ''}`,
        );
      }),
      ...view.hibernating.map((object) =>
        left(
          object,
          'hibernates, and stays as it is',
          '"spillway resume" gives back what it had, also when Spillway is gone',
        ),
      ),
      ...(keepsCrd === undefined ? [] : crds.map((object) => left(object, keepsCrd))),
      ...(neighbours.length === 0 ? [] : namespaces.map((each) => left(each, usedBy(neighbours)))),
    ],
  };
}

export function whyCrdStays({ neighbours }: Pick<ClusterView, 'neighbours'>, keepCrds: boolean): string | undefined {
  if (keepCrds) return 'kept, as --keep-crds says';
  return neighbours.length === 0 ? undefined : usedBy(neighbours);
}

const usedBy = (neighbours: readonly string[]): string => `used by the installation ${neighbours.join(', ')}`;

export function foundInPool(view: PoolView): Found {
  const { pool } = view;
  if ('trouble' in view) {
    const { trouble: why, remedy } = view;
    return {
      ours: [],
      stays: [{ pool, kind: 'Backend', name: pool, why: `cannot be looked at: ${why}`, remedy }],
      others: [],
    };
  }
  const { instances, dismantled } = view;
  return {
    ours: [
      ...instances.map(({ ref: { namespace, name } }) => ({ pool, kind: 'Instance', namespace, name })),
      ...dismantled.removed.map((object) => ({ pool, ...object })),
    ],
    stays: dismantled.remains.map(inPool(pool)),
    others: dismantled.others.map(inPool(pool)),
  };
}

const inPool =
  (pool: string) =>
  ({ kind, namespace, name, why, remedy }: Remainder): Left => ({ pool, kind, namespace, name, why, remedy });

/** What people should know before. */
export function notesOf(view: ClusterView, ofPools: readonly PoolView[], { keepCrds }: CrdChoice): string[] {
  const { pods, waiting, profiles, definition } = view;
  const profilesGo = definition !== undefined && whyCrdStays(view, keepCrds) === undefined && profiles.length > 0;
  return [
    ...ownersOf(pods).map(ownerLine),
    ...ofPools.flatMap((pool) => strayLine(pool, pods)),
    ...(waiting.length === 0
      ? []
      : [
          `${waiting.length} waiting pods that only Spillway would have placed: those with an owner are deleted, and their owner creates them again; the gate of the others is lifted`,
        ]),
    ...(profilesGo
      ? [`${profiles.length} ScheduleProfiles go with their CustomResourceDefinition (--keep-crds keeps both)`]
      : []),
  ];
}

function strayLine(view: PoolView, pods: ClusterView['pods']): string[] {
  if ('trouble' in view) return [];
  const known = new Set(pods.map(uidOf));
  const strays = view.instances.filter(({ ref }) => !known.has(ref.uid));
  return strays.length === 0
    ? []
    : [
        `pool ${view.pool}: ${strays.length} instances without a pod in this cluster are ended, too. If another cluster has the same clusterId, they may be its own`,
      ];
}

export function itemOf(object: KubeObject): Item {
  return { kind: object.kind ?? '', namespace: object.metadata?.namespace, name: nameOf(object) };
}

export const left = (object: KubeObject, why: string, remedy?: string): Left => ({ ...itemOf(object), why, remedy });
