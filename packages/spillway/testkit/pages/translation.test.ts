import { expect, it } from 'vitest';
import { sectionsOf } from './markdown.ts';
import { differencesOf } from './translation.ts';

const english = `# Sizes

A pod has at most 5 containers, see [the rules](rules.md#size). \`cci2\` has none.

- one
- two

\`\`\`yaml
sizing: cci # the default
\`\`\`

## Table

### no-cpu

| set | meaning |
|---|---|
| \`cci\` | steps of \`250m\` |
| \`none\` | as written |
`;

const chinese = `# 规格

Pod 最多有 5 个容器，见[规则](rules.md#规格)。\`cci2\` 没有。

- 一
- 二

\`\`\`yaml
sizing: cci # 默认值
\`\`\`

## 表

### no-cpu

| 规则集 | 含义 |
|---|---|
| \`cci\` | 步长 \`250m\` |
| \`none\` | 按填写的值 |
`;

const targetOf = (link: string): string => link.replace('#规格', '#size');
const found = (changed: string): readonly string[] =>
  differencesOf({ sections: sectionsOf(english), targetOf }, { sections: sectionsOf(changed), targetOf });

it('a translation with the same structure is in step; its comments are its own', () => {
  expect(found(chinese)).toEqual([]);
});

it.each([
  ['## 表', '### 表', /^heading 2: "## Table" in English, "### 表" in Chinese;/],
  ['### no-cpu\n', '', /^heading 3: "### no-cpu" in English, nothing in Chinese;/],
  ['### no-cpu', '### 没有 CPU', /^heading 3: "### no-cpu" in English, "### 没有 CPU" in Chinese;/],
  ['。`cci2`', '。\n\n`cci2`', 'below "# Sizes" ("# 规格"): 2 paragraphs in English, 3 in Chinese'],
  ['- 二\n', '', 'below "# Sizes" ("# 规格"): 2 list items in English, 1 in Chinese'],
  ['cci #', 'cci2 #', /code block 1, line 1: "sizing: cci" in English, "sizing: cci2" in Chinese$/],
  [
    '| `none` | 按填写的值 |\n',
    '',
    /^below "### no-cpu" \("### no-cpu"\): table 1 \(set \| meaning\): 2 rows in English, 1 in/,
  ],
  ['| 按填写的值 |', '| 按填写的值 | |', /row 2 \(`none`\): 2 columns in English, 3 in Chinese$/],
  ['步长 `250m`', '步长', /row 1 \(`cci`\): Chinese lacks code `250m`$/],
  ['`cci2` 没有', '`cci` 没有', /text: Chinese lacks code `cci2`$/],
  ['5 个容器', '几个容器', /text: Chinese lacks the number `5`$/],
  ['rules.md#规格', 'rules.md', /text: Chinese lacks a link to `rules\.md#size`$/],
])('without %j but with %j it is not', (was, is, message) => {
  expect(chinese).toContain(was);
  expect(found(chinese.replace(was, is))[0]).toMatch(message);
});
