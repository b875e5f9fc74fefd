/**
 * Texts for people, one after the other, each closed with one full stop; one alone stays as it is. Nothing is re-cased: a text
 * may begin with a key.
 */
export function sentences(...texts: readonly (string | undefined)[]): string {
  const said = texts.filter((text): text is string => text !== undefined && text !== '');
  if (said.length <= 1) return said[0] ?? '';
  return said.map((text) => (/[.!?]$/.test(text) ? text : `${text}.`)).join(' ');
}

/** `1 pod`, `3 pods`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
