/** Something of Spillway, or in its way: in the cluster, or with the backend of a pool. */
export interface Item {
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  /** Whose backend has it. Absent: it is in the cluster */
  readonly pool?: string | undefined;
}

export interface Left extends Item {
  readonly why: string;
  readonly remedy?: string | undefined;
}

/** What has become of an installation, as the last look at cluster and backends shows it. */
export interface RemovalReport {
  /** Nothing was changed: `removed` is what would be. */
  readonly dryRun: boolean;
  readonly clusterId: string;
  readonly removed: readonly Item[];
  /** Of this installation, and still there. */
  readonly remains: readonly Left[];
  /** Of others: as it was. */
  readonly others: readonly Left[];
  /** What people should know besides. */
  readonly notes: readonly string[];
}

const keyOf = ({ pool = '', kind, namespace = '', name }: Item): string => [pool, kind, namespace, name].join('\n');

/** Each once, and without what is there all the same. */
export function withoutRemains(removed: readonly Item[], remains: readonly Item[]): readonly Item[] {
  const items = new Map(removed.map((item) => [keyOf(item), item]));
  for (const item of remains) items.delete(keyOf(item));
  return [...items.values()];
}
