import { type Pod, type ReplicaSet, type Store, uidOf } from '@spillway/kube';
import { isDeleting, isReady } from '../../podspec/pod-facts.ts';
import { missesOf } from './misses.ts';

export interface ScaleInWatchOptions {
  readonly pods: Store<Pod>;
  /** Pods of the ReplicaSet with this UID. */
  readonly podsOf: (replicaSet: string) => readonly Pod[];
  readonly isVirtual: (nodeName: string) => boolean;
  readonly onScaledIn: (misses: number) => void;
}

/** Compares after each scale-in of a ReplicaSet who went with who should have gone. */
export class ScaleInWatch {
  readonly #options: ScaleInWatchOptions;
  /** UID of a ReplicaSet that is being scaled in → its Ready pods before. */
  readonly #before = new Map<string, readonly Pod[]>();

  constructor(options: ScaleInWatchOptions) {
    this.#options = options;
  }

  replicaSetSeen(old: ReplicaSet, replicaSet: ReplicaSet): void {
    const uid = uidOf(replicaSet);
    const wanted = replicaSet.spec?.replicas ?? 1;
    if (wanted < (old.spec?.replicas ?? 1) && !this.#before.has(uid)) {
      this.#before.set(
        uid,
        this.#options.podsOf(uid).filter((pod) => isReady(pod) && !isDeleting(pod)),
      );
    }
    const isDone = replicaSet.status?.observedGeneration === replicaSet.metadata?.generation;
    if (isDone && (replicaSet.status?.replicas ?? 0) <= wanted) this.#compare(uid);
  }

  replicaSetGone(replicaSet: ReplicaSet): void {
    this.#before.delete(uidOf(replicaSet));
  }

  #compare(uid: string): void {
    const before = this.#before.get(uid);
    if (before === undefined) return;
    this.#before.delete(uid);
    const kept: Pod[] = [];
    const removed: Pod[] = [];
    for (const pod of before) {
      const now = this.#options.pods.getByUid(uidOf(pod));
      (now === undefined || isDeleting(now) ? removed : kept).push(pod);
    }
    this.#options.onScaledIn(missesOf(removed, kept, this.#options.isVirtual));
  }
}
