import { createHash } from 'node:crypto';
import type { Pod } from '@spillway/kube';
import { burstLabels } from './contract.ts';

// What of a pod goes with it to a backend, and may change while it runs.

/** Whose annotations speak to this cluster, not to the pod's users. */
const domainsAtHome = [
  'kubernetes.io',
  'k8s.io',
  'spillway.dev',
  'virtual-kubelet.io',
  'virtual-kubelet.cci.io',
  'bursting.cci.io',
  'scheduling.cci.io',
];

/** Without those that would send the pod on to a third cluster. */
export function travellingLabels({ metadata }: Pod): Record<string, string> {
  return entriesOf(metadata?.labels, labelTravels);
}

/** @param known Those that mean something there; undefined: those of the pod's users go. */
export function travellingAnnotations({ metadata }: Pod, known?: ReadonlySet<string>): Record<string, string> {
  return entriesOf(metadata?.annotations, (key) => annotationTravels(key, known));
}

/**
 * Another value when something of the pod has changed that its instance may have to follow; the same whatever this cluster
 * does for itself with tolerations, status and annotations.
 */
export function revisionOf(pod: Pod): string {
  const annotations = tellsAnnotations(pod) ? pod.metadata?.annotations : travellingAnnotations(pod);
  const { tolerations: _, ...spec } = pod.spec ?? {};
  const all = JSON.stringify([travellingLabels(pod), annotations, spec]);
  return createHash('sha256').update(all).digest('hex').slice(0, 40);
}

/** Files of the downward API show all annotations. */
function tellsAnnotations({ spec }: Pod): boolean {
  return (spec?.volumes ?? []).some(({ downwardAPI, projected }) =>
    [downwardAPI, ...(projected?.sources ?? []).map((source) => source.downwardAPI)].some((told) =>
      told?.items?.some(({ fieldRef }) => fieldRef?.fieldPath.startsWith('metadata.annotations')),
    ),
  );
}

function labelTravels(key: string): boolean {
  return !burstLabels.some((label) => label === key);
}

function annotationTravels(key: string, known?: ReadonlySet<string>): boolean {
  if (known !== undefined) return known.has(key);
  const domain = key.slice(0, Math.max(0, key.indexOf('/')));
  return !domainsAtHome.some((home) => domain === home || domain.endsWith(`.${home}`));
}

/**
 * Does a field of the downward API say there what it says here, also when it changes?
 *
 * @param known As for {@link travellingAnnotations}.
 */
export function fieldTravels(fieldPath: string, known?: ReadonlySet<string>): boolean {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath) ?? [];
  if (map === undefined || key === undefined) return fieldPath.startsWith('status.');
  return map === 'labels' ? labelTravels(key) : annotationTravels(key, known);
}

function entriesOf(
  values: Readonly<Record<string, string>> | undefined,
  goes: (key: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([key]) => goes(key)));
}
