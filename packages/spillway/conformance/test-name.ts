/**
 * A test's name as it stands in results and documents: without the tags that all conformance tests have, which each version of
 * Kubernetes puts in another place.
 */
export function shortName(name: string): string {
  return name.replaceAll(/ \[(?:Node)?Conformance\]/g, '');
}

/** `[sig-node] Pods …` → `node` */
export function sigOf(name: string): string {
  return /^\[sig-([a-z-]+)\]/.exec(name)?.[1] ?? 'other';
}
