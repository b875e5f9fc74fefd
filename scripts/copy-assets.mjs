// node scripts/copy-assets.mjs PACKAGE: copies what the compiler leaves out (definitions that are read at run time) from
// the package's src to its dist.

import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [folder = '.'] = process.argv.slice(2);
const source = join(folder, 'src');
for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name.endsWith('.ts')) continue;
  const from = join(entry.parentPath, entry.name);
  cpSync(from, join(folder, 'dist', from.slice(source.length)));
}
