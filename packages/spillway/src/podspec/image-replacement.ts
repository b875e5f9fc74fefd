import type { Container, PodSpec } from '@spillway/kube';

/** A registry that the backend reaches in place of one that it does not. The rules of CCI (`coordinator.cci.io/image-replacement`). */
export interface ImageReplacement {
  /** Everything before the last "/" of an image; empty: images without a "/" */
  readonly repositoryPrefix: string;
  readonly replaceWith: string;
}

export interface ReplacementProblem {
  readonly index: number;
  readonly field: keyof ImageReplacement;
  readonly message: string;
}

export function replacementProblems(rules: readonly ImageReplacement[]): readonly ReplacementProblem[] {
  const first = new Map<string, number>();
  return rules.flatMap(({ repositoryPrefix, replaceWith }, index) => {
    const problems: ReplacementProblem[] = [];
    const report = (field: keyof ImageReplacement, message: string): void =>
      void problems.push({ index, field, message });
    const other = first.get(repositoryPrefix);
    if (other === undefined) first.set(repositoryPrefix, index);
    else report('repositoryPrefix', `${JSON.stringify(repositoryPrefix)} is already replaced by rule ${other}`);
    if (repositoryPrefix.endsWith('/')) report('repositoryPrefix', 'must not end with "/"');
    if (replaceWith === '')
      report('replaceWith', 'must name a registry, for example swr.cn-north-4.myhuaweicloud.com/org');
    else if (replaceWith.endsWith('/')) report('replaceWith', 'must not end with "/"');
    else if (replaceWith === repositoryPrefix) report('replaceWith', 'is what it replaces');
    return problems;
  });
}

/** At most one rule fits: prefixes are compared whole and are unique. */
export function replaceImage(image: string, rules: readonly ImageReplacement[]): string {
  const slash = image.lastIndexOf('/');
  const prefix = slash === -1 ? '' : image.slice(0, slash);
  const rule = rules.find(({ repositoryPrefix }) => repositoryPrefix === prefix);
  return rule === undefined ? image : `${rule.replaceWith}/${image.slice(slash + 1)}`;
}

/** Of containers and init containers; the same object when nothing changes. */
export function replaceImages(spec: PodSpec, rules: readonly ImageReplacement[]): PodSpec {
  let changed = false;
  const replaced = (container: Container): Container => {
    if (container.image === undefined) return container;
    const image = replaceImage(container.image, rules);
    if (image === container.image) return container;
    changed = true;
    return { ...container, image };
  };
  const containers = spec.containers.map(replaced);
  const initContainers = spec.initContainers?.map(replaced);
  return changed ? { ...spec, containers, ...(initContainers !== undefined && { initContainers }) } : spec;
}
