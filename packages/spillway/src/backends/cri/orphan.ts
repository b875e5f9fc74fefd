import type { Workload } from '../backend.ts';
import type { ListedPod } from './observer.ts';

/**
 * A workload for an instance that carries our marks and is not in our state folder, e.g. because the folder was lost. It is
 * listed, and can be stopped and removed like any other; what has ended in it is not started again, because nobody knows how.
 */
export function orphanWorkload({ ref, containers }: ListedPod): Workload {
  return {
    ref,
    pod: {
      metadata: { name: ref.name, namespace: ref.namespace, uid: ref.uid },
      spec: { restartPolicy: 'Never', containers: Array.from(containers, ([name, image]) => ({ name, image })) },
    },
    environment: new Map(),
    volumes: new Map(),
    objects: { configMaps: new Map(), secrets: new Map() },
    registryCredentials: [],
    hostIPs: [],
  };
}
