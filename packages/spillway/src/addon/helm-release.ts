import { gunzipSync } from 'node:zlib';
import type { KubeObject, Secret } from '@spillway/kube';

// Helm marks what belongs to a release: https://helm.sh/docs/topics/chart_best_practices/labels and, for what exists already,
// `checkOwnership` in its pkg/action/validate.go. It neither updates nor removes an object without these marks.

/** An installation that Helm knows of. */
export interface HelmRelease {
  readonly name: string;
  readonly namespace: string;
}

const nameAnnotation = 'meta.helm.sh/release-name';
const namespaceAnnotation = 'meta.helm.sh/release-namespace';
const managedBy = 'app.kubernetes.io/managed-by';
const policyAnnotation = 'helm.sh/resource-policy';

/** To which release an object belongs. */
export function releaseOf({ metadata }: KubeObject): HelmRelease | undefined {
  const { [nameAnnotation]: name, [namespaceAnnotation]: namespace } = metadata?.annotations ?? {};
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

/** The objects of an installation as Helm would make them, so that they stay a part of the release. */
export const inRelease = (objects: readonly KubeObject[], { name, namespace }: HelmRelease): readonly KubeObject[] =>
  objects.map((object) => {
    // Helm makes namespaces only by the way.
    if (object.kind === 'Namespace') return object;
    const { metadata = {} } = object;
    const annotations = { ...metadata.annotations, [nameAnnotation]: name, [namespaceAnnotation]: namespace };
    const labels = { ...metadata.labels, [managedBy]: 'Helm' };
    return keptByHelm({ ...object, metadata: { ...metadata, labels, annotations } });
  });

/** A definition is not Helm's to remove: others may use it, and objects go with it. `spillway uninstall` knows. */
export function keptByHelm(object: KubeObject): KubeObject {
  if (object.kind !== 'CustomResourceDefinition') return object;
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata?.annotations, [policyAnnotation]: 'keep' } },
  };
}

/** Labels of the Secrets in which Helm keeps the revisions of a release. */
export const recordSelector = ({ name }: HelmRelease): string => `owner=helm,name=${name}`;

/** Of which chart such a Secret has a revision. Undefined: it is not to be read. */
export function chartOf({ data }: Secret): string | undefined {
  try {
    const text = gunzipSync(Buffer.from(Buffer.from(data?.['release'] ?? '', 'base64').toString(), 'base64'));
    const name: unknown = JSON.parse(text.toString())?.chart?.metadata?.name;
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}
