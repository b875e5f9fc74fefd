import type { Support } from '../../podspec/fit/support.ts';
import type { ClaimBinding } from './dialect.ts';
import { kubernetesSupport } from './fields/pod-fields.ts';

/** Claims that are there already, by `NAMESPACE/NAME` of those that pods use. */
export type ClaimMapping = Readonly<Record<string, string>>;

export function mappedClaims(mapping: ClaimMapping): ClaimBinding {
  return {
    mountOf: (claim) => {
      const claimName = mapped(mapping, claim);
      return claimName === undefined ? undefined : { claimName, folder: '' };
    },
  };
}

export function supportOfMapped(mapping: ClaimMapping): Support {
  return {
    ...kubernetesSupport,
    claimObjection: (claim) =>
      mapped(mapping, claim) === undefined ? { code: 'claim-not-mapped', detail: keyOf(claim) } : undefined,
  };
}

interface ClaimName {
  readonly namespace: string;
  readonly name: string;
}

function mapped(mapping: ClaimMapping, claim: ClaimName): string | undefined {
  const key = keyOf(claim);
  return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
}

function keyOf({ namespace, name }: ClaimName): string {
  return `${namespace}/${name}`;
}
