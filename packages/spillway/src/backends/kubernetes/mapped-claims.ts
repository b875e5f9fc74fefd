import type { Support } from '../../podspec/fit/support.ts';
import type { ClaimBinding } from './dialect.ts';
import { kubernetesSupport } from './fields/pod-fields.ts';

/** Claims that are there already, by `NAMESPACE/NAME` of those that pods use. */
export type ClaimMapping = Readonly<Record<string, string>>;

export function mappedClaims(mapping: ClaimMapping): ClaimBinding {
  return {
    mountOf: ({ namespace, name }) => {
      const key = `${namespace}/${name}`;
      const claimName = Object.hasOwn(mapping, key) ? mapping[key] : undefined;
      return claimName === undefined ? undefined : { claimName, folder: '' };
    },
  };
}

export function supportOfMapped(mapping: ClaimMapping): Support {
  return { ...kubernetesSupport, claims: new Set(Object.keys(mapping)) };
}
