import { Transform } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Rewrites each line of JSON as it comes. */
export function rewriteLines(rewrite: (value: unknown) => unknown): Transform {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const rewritten = (line: string): string => (line === '' ? '' : `${rewrittenText(line, rewrite)}\n`);
  return new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      const lines = `${rest}${decoder.write(chunk)}`.split('\n');
      rest = lines.pop() ?? '';
      done(null, lines.map(rewritten).join(''));
    },
    flush(done): void {
      done(null, rewritten(rest));
    },
  });
}

/** Rewrites one document of JSON when it is complete. */
export function rewriteWhole(rewrite: (value: unknown) => unknown): Transform {
  const chunks: Buffer[] = [];
  return new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      chunks.push(chunk);
      done();
    },
    flush(done): void {
      done(null, rewrittenText(Buffer.concat(chunks).toString(), rewrite));
    },
  });
}

/** What is no JSON stays as it is. */
function rewrittenText(text: string, rewrite: (value: unknown) => unknown): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  return JSON.stringify(rewrite(value));
}
