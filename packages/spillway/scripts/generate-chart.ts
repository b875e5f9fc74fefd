// Writes charts/spillway. Run it when an object of an installation, the configuration or the version has changed:
//
//   node --conditions=spillway-source packages/spillway/scripts/generate-chart.ts
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { chartFiles } from '../src/addon/chart/chart-files.ts';
import { ownVersion } from '../src/cli/own-version.ts';

const target = path.join(import.meta.dirname, '../../../charts/spillway');

for (const [file, text] of chartFiles(await ownVersion())) {
  const written = path.join(target, file);
  await mkdir(path.dirname(written), { recursive: true });
  await writeFile(written, text);
}
