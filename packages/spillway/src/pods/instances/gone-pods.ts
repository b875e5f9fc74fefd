import { type KubeClient, pods, uidOf } from '@spillway/kube';
import type { InstanceRef } from '../../backends/backend.ts';

export interface GonePodsOptions {
  /** Client of the node agent. */
  readonly client: Pick<KubeClient, 'resource'>;
  readonly nodeName: string;
  /** Is the API server that we talk to the cluster whose marks our instances carry? */
  readonly confirmCluster: (signal: AbortSignal) => Promise<boolean>;
}

/** `otherCluster`: the API server is not the one that the pod was in; it can say nothing of it. */
export type Presence = 'there' | 'gone' | 'otherCluster';

/** Whoever believes that a pod is gone asks here before its instance ends, whatever made him believe it. */
export class GonePods {
  readonly #options: GonePodsOptions;

  constructor(options: GonePodsOptions) {
    this.#options = options;
  }

  /**
   * A read from the API server's store, not from a cache, compared by UID. As a list, because a node may not read a
   * pod that is not (or no longer) bound to it; this answers "none" instead.
   */
  async look({ namespace, name, uid }: InstanceRef, signal: AbortSignal): Promise<Presence> {
    const { client, nodeName, confirmCluster } = this.#options;
    if (!(await confirmCluster(signal))) return 'otherCluster';
    const fieldSelector = `spec.nodeName=${nodeName},metadata.name=${name}`;
    const { items } = await client.resource(pods).list({ namespace, fieldSelector, signal });
    // Once more: the address may have changed hands in between.
    if (!(await confirmCluster(signal))) return 'otherCluster';
    return items.some((pod) => uidOf(pod) === uid) ? 'there' : 'gone';
  }
}
