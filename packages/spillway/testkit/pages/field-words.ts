const chinese: Readonly<Record<string, string>> = {
  field: '字段',
  'what becomes of it': '处理方式',
  why: '原因',
  'only in CCI': '仅限 CCI',
  'all others': '其他所有字段',
  passed: '原样传递',
  adapted: '改写',
  dropped: '去掉',
  refused: '拒绝',
  'some values refused': '部分取值拒绝',
};

/** A table of what becomes of fields, as the Chinese pages have it. */
export function inChinese(table: string): string {
  const words = Object.keys(chinese).toSorted((a, b) => b.length - a.length);
  return table
    .replaceAll(new RegExp(`(?<=\\| |; )(?:${words.join('|')})\\b`, 'g'), (word) => chinese[word] ?? word)
    .replaceAll('; ', '；')
    .replaceAll(': [', '：[');
}
