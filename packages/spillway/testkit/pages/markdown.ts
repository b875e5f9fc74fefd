/** What no translation changes, of a row of a table or of the text of a section. */
export interface Content {
  /** Inline code. */
  readonly code: readonly string[];
  /** As they are written. */
  readonly links: readonly string[];
  readonly numbers: readonly string[];
}

export interface Row {
  readonly cells: readonly string[];
  readonly content: Content;
}

export interface Section {
  /** With its number signs; empty for what stands above the first heading. */
  readonly heading: string;
  readonly level: number;
  /** As GitHub makes it. */
  readonly anchor: string;
  /** With the heading. */
  readonly prose: Content;
  readonly paragraphs: number;
  readonly listItems: number;
  /** Each with the row of its headings first. */
  readonly tables: readonly (readonly Row[])[];
  /** Lines without comments; the first one has the language. */
  readonly codeBlocks: readonly (readonly string[])[];
}

/** The sections of a Markdown page, each up to the next heading of whatever level. */
export function sectionsOf(page: string): readonly Section[] {
  const taken = new Map<string, number>();
  return linesBySection(page).map((lines) => {
    const heading = isHeading(lines[0] ?? '') ? (lines[0] ?? '') : '';
    const { text, tables, codeBlocks } = blocksOf(heading === '' ? lines : lines.slice(1));
    return {
      heading,
      level: /^#*/.exec(heading)?.[0].length ?? 0,
      anchor: anchorOf(heading.replace(/^#+ /, ''), taken),
      prose: contentOf([heading, ...text].join('\n')),
      paragraphs: text.filter((line, index) => line !== '' && (text[index - 1] ?? '') === '').length,
      listItems: text.filter((line) => /^\s*(?:[-*]|\d+\.) /.test(line)).length,
      tables,
      codeBlocks,
    };
  });
}

const isHeading = (line: string): boolean => /^#{1,6} /.test(line);

function linesBySection(page: string): readonly (readonly string[])[] {
  const sections: string[][] = [[]];
  let isCode = false;
  for (const line of page.replaceAll(/<!--.*?-->/gs, '').split('\n')) {
    if (line.startsWith('```')) isCode = !isCode;
    if (!isCode && isHeading(line)) sections.push([]);
    sections.at(-1)?.push(line);
  }
  return sections.filter((lines) => lines.some((line) => line.trim() !== ''));
}

interface Blocks {
  readonly text: readonly string[];
  readonly tables: readonly (readonly Row[])[];
  readonly codeBlocks: readonly (readonly string[])[];
}

function blocksOf(lines: readonly string[]): Blocks {
  const text: string[] = [];
  const tables: Row[][] = [];
  const codeBlocks: string[][] = [];
  let code: string[] | undefined;
  let wasRow = false;
  for (const line of lines) {
    const isRow = code === undefined && line.startsWith('|');
    if (line.startsWith('```')) {
      if (code === undefined) codeBlocks.push((code = [line]));
      else code = undefined;
    } else if (code !== undefined) {
      code.push(line.replace(/(?:^|\s+)(?:#|\/\/) .*$/, ''));
    } else if (isRow) {
      if (!wasRow) tables.push([]);
      if (!/^[|\s:-]+$/.test(line) || !wasRow) tables.at(-1)?.push(rowOf(line));
    } else {
      text.push(line);
    }
    wasRow = isRow;
  }
  return { text, tables, codeBlocks };
}

function rowOf(line: string): Row {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  return { cells: cells.map((cell) => cell.trim()), content: contentOf(line) };
}

function contentOf(text: string): Content {
  const plain = text.replaceAll(/`[^`]+`/g, '');
  const withoutTargets = plain.replaceAll(/\]\([^)\s]+\)/g, '').replaceAll(/^\s*\d+\. /gm, '');
  return {
    code: Array.from(text.matchAll(/`([^`]+)`/g), ([, code = '']) => code.replaceAll(/\s+/g, ' ')),
    links: Array.from(plain.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target),
    numbers: Array.from(withoutTargets.matchAll(/\d+(?:[.,]\d+)*/g), ([number]) => number.replaceAll(',', '')),
  };
}

function anchorOf(heading: string, taken: Map<string, number>): string {
  const anchor = heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');
  const before = taken.get(anchor) ?? 0;
  taken.set(anchor, before + 1);
  return before === 0 ? anchor : `${anchor}-${before}`;
}
