import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { LogFormatter } from './log-formatter.ts';

type Options = ConstructorParameters<typeof LogFormatter>[0];

const at = (second: number): string => `2026-10-06T00:00:${String(second).padStart(2, '0')}.5Z`;

function format(text: string, options: Partial<Options> = {}, chunks: readonly number[] = []): string {
  const formatter = new LogFormatter({ timestamps: false, stream: 'All', ...options });
  const bytes = Buffer.from(text);
  const out: Buffer[] = [];
  let start = 0;
  for (const length of [...chunks, bytes.length]) {
    out.push(formatter.push(bytes.subarray(start, start + length)));
    start += length;
  }
  return Buffer.concat([...out, formatter.end()]).toString();
}

const records = fc.array(
  fc.record({
    stream: fc.constantFrom('stdout', 'stderr'),
    tag: fc.constantFrom('P', 'F'),
    content: fc.string({ unit: fc.constantFrom('a', ' ', 'ä', '中', ':', 'F') }),
  }),
);

describe('a formatted log', () => {
  test('joins what was written in parts, each stream by itself', () => {
    const text = [
      `${at(1)} stdout P one `,
      `${at(2)} stderr F err`,
      `${at(3)} stdout P and `,
      `${at(4)} stdout F two`,
      `${at(5)} stdout P no end`,
      '',
    ].join('\n');
    expect(format(text)).toBe('err\none and two\nno end');
    expect(format(text, { timestamps: true })).toBe(
      '2026-10-06T00:00:02.500000000Z err\n2026-10-06T00:00:01.500000000Z one and two\n2026-10-06T00:00:05.500000000Z no end',
    );
  });

  test('leaves out the other stream, what is too old, and what is over the limit', () => {
    const text = `${at(1)} stdout F old\n${at(2)} stderr F err\n${at(3)} stdout F new\n`;
    expect(format(text, { stream: 'Stderr' })).toBe('err\n');
    expect(format(text, { sinceTime: new Date(Date.UTC(2026, 9, 6, 0, 0, 2)) })).toBe('err\nnew\n');
    expect(format(text, { limitBytes: 6 })).toBe('old\ner');
    expect(format(text, { limitBytes: 0 })).toBe('');
  });

  test('passes over what is no record', () => {
    expect(format(`garbage\n\n${at(1)} stdout F fine\n\0\0\0\n`)).toBe('fine\n');
  });

  test('hands on a line that never ends', () => {
    const formatter = new LogFormatter({ timestamps: false, stream: 'All' });
    const part = Buffer.from(`${at(1)} stdout P ${'x'.repeat(16_000)}\n`);
    let out = 0;
    for (let count = 0; count < 200; count++) out += formatter.push(part).length;
    expect(out).toBeGreaterThan(1_000_000);
    expect(out + formatter.end().length).toBe(200 * 16_000);
  });

  test.prop([records, fc.array(fc.nat({ max: 50 })), fc.boolean()])(
    'is the same however the file is read',
    (lines, chunks, timestamps) => {
      const text = lines
        .map(({ stream, tag, content }, index) => `${at(index % 60)} ${stream} ${tag} ${content}\n`)
        .join('');
      expect(format(text, { timestamps }, chunks)).toBe(format(text, { timestamps }));
    },
  );

  test.prop([records])('has every byte that the container wrote', (lines) => {
    const stdout = lines.filter(({ stream }) => stream === 'stdout');
    const written = stdout.map(({ tag, content }) => content + (tag === 'F' ? '\n' : '')).join('');
    const text = lines.map(({ stream, tag, content }) => `${at(1)} ${stream} ${tag} ${content}\n`).join('');
    expect(format(text, { stream: 'Stdout' })).toBe(written);
  });
});
