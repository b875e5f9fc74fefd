/** Which tests ginkgo runs: Go regular expressions on their names. */
export interface Selection {
  readonly focus: string;
  readonly skip: string;
}

/** Serial tests change nodes under others, and want the cluster for themselves. */
const skip = String.raw`\[Serial\]|\[Disruptive\]`;

export function selectionOf(sigs: readonly string[], focus?: string): Selection {
  const sig = sigs.length === 0 ? '' : String.raw`\[sig-(?:${sigs.join('|')})\].*`;
  const part = focus === undefined ? '' : `(?:${focus}).*`;
  return { focus: String.raw`${sig}${part}\[Conformance\]`, skip };
}

/** Exactly these, whatever tags follow. */
export function selectionOfNames(names: readonly string[]): Selection {
  const tags = String.raw`(?: \[[^\]]*\])*`;
  const patterns = names.map((name) => {
    const bare = name.replace(new RegExp(`${tags}$`), '');
    return bare.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  });
  return { focus: `(?:${patterns.join('|')})${tags}$`, skip };
}
