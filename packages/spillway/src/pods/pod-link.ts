import type { Pod } from '@spillway/kube';
import type { Problem } from './core/pod-state.ts';

/** How pods reach the Services of their cluster: by an agent that is given to them. */
export interface PodLink {
  /** Why it cannot be given yet; undefined: it can. */
  readonly obstacle: Problem | undefined;
  withAgent(pod: Pod): Pod;
  /** Of the name server that the agent is, as the pod sees it. */
  readonly nameServer: string;
}
