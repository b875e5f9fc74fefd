/** A writer of tar archives (POSIX ustar), enough for image layers: equal input gives equal bytes. */

export type TarEntry =
  | { readonly type: 'file'; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly type: 'directory'; readonly path: string; readonly mode: number }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string };

const blockSize = 512;
const typeFlags = { file: '0', symlink: '2', directory: '5' } as const;

export function tar(entries: readonly TarEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    parts.push(header(entry));
    if (entry.type !== 'file') continue;
    parts.push(entry.content);
    const rest = entry.content.length % blockSize;
    if (rest > 0) parts.push(Buffer.alloc(blockSize - rest));
  }
  parts.push(Buffer.alloc(2 * blockSize));
  return Buffer.concat(parts);
}

function header(entry: TarEntry): Buffer {
  const path = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const block = Buffer.alloc(blockSize);
  text(block, path, 0, 100);
  octal(block, entry.type === 'symlink' ? 0o777 : entry.mode, 100, 8);
  octal(block, 0, 108, 8); // owner
  octal(block, 0, 116, 8); // group
  octal(block, entry.type === 'file' ? entry.content.length : 0, 124, 12);
  octal(block, 0, 136, 12); // time of change
  block.write(' '.repeat(8), 148, 'latin1'); // the checksum counts as blanks in itself
  block.write(typeFlags[entry.type], 156, 'latin1');
  if (entry.type === 'symlink') text(block, entry.target, 157, 100);
  block.write('ustar\u000000', 257, 'latin1');
  text(block, 'root', 265, 32);
  text(block, 'root', 297, 32);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function text(block: Buffer, value: string, offset: number, size: number): void {
  if (Buffer.byteLength(value) >= size) throw new RangeError(`"${value}" is too long for a tar header`);
  block.write(value, offset);
}

function octal(block: Buffer, value: number, offset: number, size: number): void {
  block.write(`${value.toString(8).padStart(size - 1, '0')}\0`, offset, 'latin1');
}
