import type { PersistentVolume } from '@spillway/kube';
import type { ClaimSources } from '../claims.ts';

/** Of a cluster without any. */
export const noClaims: ClaimSources = { claim: () => undefined, volume: () => undefined };

/** Claims that are bound to these volumes, by name of the claim. */
export function boundClaims(volumes: Readonly<Record<string, PersistentVolume>>): ClaimSources {
  return {
    ...noClaims,
    claim: (namespace, name) => ({
      metadata: { namespace, name, uid: name },
      spec: { volumeName: name },
      status: { phase: 'Bound' },
    }),
    volume: (name) => {
      const volume = volumes[name];
      return volume && { ...volume, spec: { ...volume.spec, claimRef: { uid: name } } };
    },
  };
}
