import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { type Section, sectionsOf } from '../testkit/pages/markdown.ts';
import { differencesOf } from '../testkit/pages/translation.ts';

const root = join(import.meta.dirname, '../../..');
const pagesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder)).flatMap((name) => (name.endsWith('.md') ? [join(folder, name)] : []));

/** English pages with their Chinese ones. */
const translations = new Map([
  ['README.md', 'README.zh.md'],
  ...pagesIn('docs').map((page) => [page, join('docs/zh', relative('docs', page))] as const),
]);

const read = new Map<string, readonly Section[]>();
/** None of what is no page or is not there. */
function sections(page: string): readonly Section[] {
  const isThere = page.endsWith('.md') && existsSync(join(root, page));
  const known = read.get(page) ?? (isThere ? sectionsOf(readFileSync(join(root, page), 'utf8')) : []);
  read.set(page, known);
  return known;
}

const isExternal = (link: string): boolean => link.includes('://');

/** A link as a path from the root of the repository and an anchor. */
function destination(page: string, link: string): { readonly file: string; readonly anchor: string } {
  const [path = '', anchor = ''] = link.split('#');
  return { file: path === '' ? page : join(dirname(page), path), anchor };
}

const written = (file: string, anchor: string): string => (anchor === '' ? file : `${file}#${anchor}`);

/** Where the link leads. */
function targetOf(page: string, link: string): string {
  if (isExternal(link)) return link;
  const { file, anchor } = destination(page, link);
  return written(file, anchor);
}

/** Where the same link leads on the Chinese page. */
function translatedTarget(page: string, link: string): string {
  if (isExternal(link)) return link;
  const { file, anchor } = destination(page, link);
  // From one language to the other.
  if (file === translations.get(page)) return page;
  const place = sections(file).findIndex((section) => section.anchor === anchor);
  const chinese = translations.get(file);
  return written(chinese ?? file, sections(chinese ?? '')[place]?.anchor ?? anchor);
}

it.each([...translations])('%s and %s say the same', (english, chinese) => {
  const differences = differencesOf(
    { sections: sections(english), targetOf: (link) => translatedTarget(english, link) },
    { sections: sections(chinese), targetOf: (link) => targetOf(chinese, link) },
  );
  expect(differences, `bring ${chinese} in step with ${english}`).toEqual([]);
});

it('every Chinese page belongs to an English one', () => {
  const known = new Set(translations.values());
  expect(pagesIn('docs/zh').filter((page) => !known.has(page))).toEqual([]);
});

const packages = readdirSync(join(root, 'packages')).flatMap((name) => pagesIn(join('packages', name)));

it.each([...pagesIn('.'), ...pagesIn('docs'), ...pagesIn('docs/zh'), ...packages])(
  'all links in %s lead somewhere',
  (page) => {
    const links = sections(page).flatMap(({ prose, tables }) => [
      ...prose.links,
      ...tables.flat().flatMap(({ content }) => content.links),
    ]);
    const broken = links.filter((link) => {
      if (isExternal(link)) return false;
      const { file, anchor } = destination(page, link);
      const isThere = anchor === '' || sections(file).some((section) => section.anchor === anchor);
      return !existsSync(join(root, file)) || !isThere;
    });
    expect(broken).toEqual([]);
  },
);
