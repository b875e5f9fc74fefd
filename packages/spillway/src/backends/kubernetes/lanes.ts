import type { LaneName } from '@spillway/kube';

// What waits for what when the other cluster limits the rate of calls: these go first in this order, then all without a lane
// of their own, which prepare pods.

/** All that ending a pod takes: what runs is billed. */
export const deleting: LaneName = 'delete';
/** The call that creates a pod, after all that it needs is there. */
export const creating: LaneName = 'create';
/** What pods have follows what the cluster says. */
export const syncing: LaneName = 'sync';
/** What nobody's pod waits for. */
export const reading: LaneName = 'read';
