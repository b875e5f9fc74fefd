import type { Volume, VolumeMount } from '@spillway/kube';
import type { Owner, Workload } from '../../backend.ts';
import type { ClaimCopy } from '../copies/copies.ts';
import type { ClaimBinding, ClaimMount } from '../dialect.ts';

/** The pod's volumes of claims in the other cluster, and what has to be there for them. */
export class ClaimMounts {
  readonly #workload: Workload;
  readonly #binding: ClaimBinding;
  readonly #owner: Owner;
  /** By name of the volume. */
  readonly #mounts = new Map<string, ClaimMount>();

  constructor(workload: Workload, binding: ClaimBinding, owner: Owner) {
    this.#workload = workload;
    this.#binding = binding;
    this.#owner = owner;
  }

  volume({ name, persistentVolumeClaim }: Volume): Volume {
    const { claimName = '', readOnly } = persistentVolumeClaim ?? {};
    const bound = this.#workload.claims.get(claimName);
    const mount = bound && this.#binding.mountOf(bound, this.#owner);
    if (mount) this.#mounts.set(name, mount);
    // A change of a pod that runs does without; the other cluster would refuse to create one.
    const there = mount?.claimName ?? '';
    return { name, persistentVolumeClaim: { claimName: there, ...(readOnly !== undefined && { readOnly }) } };
  }

  /** As a container mounts a volume: of a claim that is a folder of something larger, only that folder. */
  mount(mount: VolumeMount): VolumeMount {
    const { folder = '' } = this.#mounts.get(mount.name) ?? {};
    if (folder === '') return mount;
    const { subPath, subPathExpr, ...rest } = mount;
    // Nothing in the folder's own name is a variable.
    if (subPathExpr) return { ...rest, subPathExpr: `${folder.replaceAll('$', '$$$$')}/${subPathExpr}` };
    return { ...rest, subPath: subPath ? `${folder}/${subPath}` : folder };
  }

  /** Each once, in the namespace of the pods. */
  copies(namespace: string): ClaimCopy[] {
    const copies = [...this.#mounts.values()].flatMap(({ copy }) => (copy ? [copy] : []));
    const distinct = new Map(copies.map((copy) => [copy.metadata?.name, copy]));
    return Array.from(distinct.values(), (copy) => ({ ...copy, metadata: { ...copy.metadata, namespace } }));
  }
}
