import { type KubeObject, nameOf, type PersistentVolumeClaim, type Pod, type Volume } from '@spillway/kube';
import { at } from '../../placement/rules/admitted.ts';
import { isClaim, isVolume } from '../../placement/rules/object-shape.ts';
import type { ClaimSources } from '../../podspec/claims.ts';

/** The claims and volumes of the cluster, and those that a manifest makes where they are not there yet. */
export function withPlanned(claims: ClaimSources, objects: readonly KubeObject[]): ClaimSources {
  const planned = new Map<string, PersistentVolumeClaim>();
  for (const object of objects) {
    for (const claim of isClaim(object) ? [object] : firstClaimsOf(object)) {
      const { namespace = '', name = '' } = claim.metadata ?? {};
      const spec = at<PersistentVolumeClaim['spec']>(claim, ['spec']);
      planned.set(`${namespace}/${name}`, { metadata: { namespace, name }, ...(spec && { spec }) });
    }
  }
  const volumes = new Map(objects.filter((object) => isVolume(object)).map((volume) => [nameOf(volume), volume]));
  return {
    ...claims,
    volume: (name) => claims.volume(name) ?? volumes.get(name),
    claim: (namespace, name) => claims.claim(namespace, name) ?? planned.get(`${namespace}/${name}`),
  };
}

/** The pod with the volumes that its StatefulSet gives to the first of its pods. */
export function withClaimsOf(object: KubeObject, pod: Pod): Pod {
  const made = templatesOf(object).map((template): Volume => {
    const claimName = claimNameOf(object, template);
    return { name: template.metadata?.name ?? '', persistentVolumeClaim: { claimName } };
  });
  if (made.length === 0 || pod.spec === undefined) return pod;
  const names = new Set(made.map(({ name }) => name));
  const others = (pod.spec.volumes ?? []).filter(({ name }) => !names.has(name));
  return { ...pod, spec: { ...pod.spec, volumes: [...others, ...made] } };
}

/** As a StatefulSet makes them for the first of its pods; the others get the like. */
function firstClaimsOf(object: KubeObject): PersistentVolumeClaim[] {
  const { namespace = '' } = object.metadata ?? {};
  return templatesOf(object).map((template) => ({
    ...template,
    metadata: { ...template.metadata, namespace, name: claimNameOf(object, template) },
  }));
}

function claimNameOf(object: KubeObject, { metadata }: PersistentVolumeClaim): string {
  const first = at<number>(object, ['spec', 'ordinals', 'start']) ?? 0;
  return `${metadata?.name ?? ''}-${object.metadata?.name ?? ''}-${first}`;
}

function templatesOf(object: KubeObject): readonly PersistentVolumeClaim[] {
  if (object.kind !== 'StatefulSet') return [];
  return at<readonly PersistentVolumeClaim[]>(object, ['spec', 'volumeClaimTemplates']) ?? [];
}
