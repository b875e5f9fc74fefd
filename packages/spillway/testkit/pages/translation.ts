import type { Content, Row, Section } from './markdown.ts';

/** A page, and where its links lead: two links of a page and its translation lead to the same place when these are equal. */
export interface Page {
  readonly sections: readonly Section[];
  readonly targetOf: (link: string) => string;
}

/** What has to change for a translation to be in step again, each as a sentence that says where. */
export function differencesOf(english: Page, chinese: Page): readonly string[] {
  const heading = headingDifference(english.sections, chinese.sections);
  if (heading !== undefined) return [heading];
  return english.sections.flatMap((section, index) => {
    const other = chinese.sections[index] ?? section;
    const compare = (ours: Content, theirs: Content): readonly string[] =>
      contentDifferences(contentOf(ours, english), contentOf(theirs, chinese));
    return [
      ...countDifference('paragraphs', section.paragraphs, other.paragraphs),
      ...countDifference('list items', section.listItems, other.listItems),
      ...codeDifferences(section, other),
      ...tableDifferences(section, other, compare),
      ...compare(section.prose, other.prose).map((found) => `text: ${found}`),
    ].map((found) => `below "${section.heading}" ("${other.heading}"): ${found}`);
  });
}

function headingDifference(english: readonly Section[], chinese: readonly Section[]): string | undefined {
  const count = Math.max(english.length, chinese.length);
  const at = Array.from({ length: count }).findIndex((_, index) => !areSameHeading(english[index], chinese[index]));
  if (at === -1) return undefined;
  return `heading ${at + 1}: ${quoted(english[at]?.heading)} in English, ${quoted(chinese[at]?.heading)} in Chinese; headings have the same levels, and names such as no-cpu are not translated`;
}

function areSameHeading(english: Section | undefined, chinese: Section | undefined): boolean {
  const isName = /^#+ [\da-z-]+$/.test(english?.heading ?? '');
  return isName ? english?.heading === chinese?.heading : english?.level === chinese?.level;
}

function countDifference(what: string, english: number, chinese: number): readonly string[] {
  return english === chinese ? [] : [`${english} ${what} in English, ${chinese} in Chinese`];
}

function codeDifferences({ codeBlocks }: Section, other: Section): readonly string[] {
  const count = countDifference('code blocks', codeBlocks.length, other.codeBlocks.length);
  if (count.length > 0) return count;
  return codeBlocks.flatMap((lines, index) => {
    const theirs = other.codeBlocks[index] ?? [];
    const length = Math.max(lines.length, theirs.length);
    const at = Array.from({ length }).findIndex((_, line) => lines[line] !== theirs[line]);
    return at === -1
      ? []
      : [`code block ${index + 1}, line ${at}: ${quoted(lines[at])} in English, ${quoted(theirs[at])} in Chinese`];
  });
}

const quoted = (line: string | undefined): string => (line === undefined ? 'nothing' : `"${line}"`);

function tableDifferences(
  { tables }: Section,
  other: Section,
  compare: (ours: Content, theirs: Content) => readonly string[],
): readonly string[] {
  const count = countDifference('tables', tables.length, other.tables.length);
  if (count.length > 0) return count;
  return tables.flatMap((rows, index) => {
    const theirs = other.tables[index] ?? [];
    const table = `table ${index + 1} (${rows[0]?.cells.join(' | ')})`;
    const rowCount = countDifference('rows', rows.length - 1, theirs.length - 1);
    if (rowCount.length > 0) return rowCount.map((found) => `${table}: ${found}`);
    return rows.flatMap((row, place) => {
      const there: Row = theirs[place] ?? row;
      const where = place === 0 ? `${table}, heading` : `${table}, row ${place} (${row.cells[0]})`;
      return [
        ...countDifference('columns', row.cells.length, there.cells.length),
        ...compare(row.content, there.content),
      ].map((found) => `${where}: ${found}`);
    });
  });
}

interface Compared {
  readonly code: ReadonlySet<string>;
  readonly links: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
}

function contentOf({ code, links, numbers }: Content, { targetOf }: Page): Compared {
  return { code: new Set(code), links: new Set(links.map(targetOf)), numbers: new Set(numbers) };
}

/** Numbers may be words in English and digits in Chinese, never the other way round. */
function contentDifferences(english: Compared, chinese: Compared): readonly string[] {
  return [
    ...lacking('Chinese', 'code', english.code, chinese.code),
    ...lacking('English', 'code', chinese.code, english.code),
    ...lacking('Chinese', 'a link to', english.links, chinese.links),
    ...lacking('English', 'a link to', chinese.links, english.links),
    ...lacking('Chinese', 'the number', english.numbers, chinese.numbers),
  ];
}

function lacking(
  language: string,
  what: string,
  some: ReadonlySet<string>,
  others: ReadonlySet<string>,
): readonly string[] {
  const missing = [...some].filter((each) => !others.has(each));
  return missing.length === 0 ? [] : [`${language} lacks ${what} ${missing.map((each) => `\`${each}\``).join(', ')}`];
}
