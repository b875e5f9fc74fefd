import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TerminalSizeParser, TerminalSizes, type TerminalSize } from './resize.ts';

const dimension = fc.integer({ min: 1, max: 65_535 });

describe('terminal sizes', () => {
  test('are read however they are cut', () => {
    const sizes = fc.array(fc.record({ width: dimension, height: dimension }));
    fc.assert(
      fc.property(sizes, fc.constantFrom('', '\n', ' '), fc.integer({ min: 1, max: 50 }), (list, between, step) => {
        const text = list.map(({ width, height }) => JSON.stringify({ Width: width, Height: height })).join(between);
        const parser = new TerminalSizeParser();
        const parsed: TerminalSize[] = [];
        for (let i = 0; i < text.length; i += step) parsed.push(...parser.feed(Buffer.from(text.slice(i, i + step))));
        expect(parsed).toEqual(list);
      }),
    );
  });

  test('that make no sense are left out', () => {
    const parser = new TerminalSizeParser();
    const text = '{"Width":0,"Height":0}{"Width":-1}garbage}{"Width":70000,"Height":1}{"Width":80,"Height":24}';
    expect(parser.feed(Buffer.from(text))).toEqual([{ width: 80, height: 24 }]);
  });

  test('of a client that sends no end of a size take no memory', () => {
    const parser = new TerminalSizeParser();
    for (let i = 0; i < 1000; i++) expect(parser.feed(Buffer.alloc(10_000, 'x'))).toEqual([]);
    expect(parser.feed(Buffer.from('}{"Width":80,"Height":24}'))).toEqual([{ width: 80, height: 24 }]);
  });

  test('reach a slow reader as the newest one only, and end', async () => {
    const sizes = new TerminalSizes();
    sizes.push({ width: 1, height: 1 });
    sizes.push({ width: 2, height: 2 });
    sizes.end();
    expect(await Array.fromAsync(sizes)).toEqual([{ width: 2, height: 2 }]);
  });

  test('reach a reader that waits', async () => {
    const sizes = new TerminalSizes();
    const seen: TerminalSize[] = [];
    const reading = (async () => {
      for await (const size of sizes) {
        seen.push(size);
        if (seen.length === 2) sizes.end();
        else sizes.push({ width: 2, height: 2 });
      }
    })();
    await Promise.resolve();
    sizes.push({ width: 1, height: 1 });
    await reading;
    expect(seen).toEqual([
      { width: 1, height: 1 },
      { width: 2, height: 2 },
    ]);
  });
});
