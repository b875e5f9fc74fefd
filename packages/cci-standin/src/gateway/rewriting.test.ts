import { Readable, type Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { rewriteLines, rewriteWhole } from './rewriting.ts';

const through = (transform: Transform, ...chunks: readonly (string | Buffer)[]): Promise<string> =>
  text(Readable.from(chunks.map((chunk) => Buffer.from(chunk))).pipe(transform));

const wrapped = (value: unknown): unknown => ({ value });

test('lines are rewritten however they are cut', async () => {
  const bytes = Buffer.from('{"a":"ä"}\n{"b":1}\n');
  const pieces = [...bytes].map((byte) => Buffer.of(byte));
  expect(await through(rewriteLines(wrapped), ...pieces)).toBe('{"value":{"a":"ä"}}\n{"value":{"b":1}}\n');
});

test('a line goes on as soon as it is complete', async () => {
  const transform = rewriteLines(wrapped);
  transform.write('{"a":1}\n{"b"');
  expect(String(transform.read())).toBe('{"value":{"a":1}}\n');
});

test('a document is rewritten as a whole; what is no JSON stays as it is', async () => {
  expect(await through(rewriteWhole(wrapped), '{"a":', '1}')).toBe('{"value":{"a":1}}');
  expect(await through(rewriteWhole(wrapped), 'no', ' JSON')).toBe('no JSON');
});
