import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { debianLayer } from '../testkit/debian-layer.ts';
import { run } from '../testkit/run-command.ts';
import type { Buildah } from './buildah.ts';

/** On which the Containerfile builds. */
export const baseImage = 'docker.io/library/node:24-bookworm-slim';

/** What of Debian is in the image of that name and is of use to Node.js and npm. */
const packages = ['base-files', 'coreutils', 'dash', 'libc-bin', 'libstdc++6', 'tzdata'];
const npmPlace = '/usr/local/lib/node_modules/npm';

/**
 * Makes the base image, under its name, where no registry can be asked for it: of Debian's packages, the Node.js that runs
 * this, and the npm of this machine.
 */
export async function makeBase(
  buildah: Buildah,
  cacheDir: string,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const debian = await debianLayer(cacheDir, packages, [], report, signal);
  report(`${baseImage}, of Debian's packages and Node.js ${process.version}`);
  const work = await mkdtemp(path.join(tmpdir(), 'spillway-base-'));
  try {
    const passwd = path.join(work, 'passwd');
    const npm = path.join(work, 'npm');
    await writeFile(passwd, 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n');
    await writeFile(npm, `#!/usr/local/bin/node\nrequire('${npmPlace}/lib/cli.js')(process);\n`);
    const container = await buildah.run('from', 'scratch');
    await buildah.run('add', container, debian, '/');
    await buildah.run('copy', container, passwd, '/etc/passwd');
    await buildah.run('copy', container, process.execPath, '/usr/local/bin/node');
    await buildah.run('copy', container, await npmFolder(signal), npmPlace);
    await buildah.run('copy', '--chmod', '755', container, npm, '/usr/local/bin/npm');
    await buildah.run('config', '--env', `NODE_VERSION=${process.versions.node}`, container);
    await buildah.run('commit', '--rm', container, baseImage);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Of the installed npm, whichever Node.js it runs with. */
async function npmFolder(signal: AbortSignal): Promise<string> {
  const program = (await run('which', ['npm'], { signal })).trim();
  return path.dirname(path.dirname(await realpath(program)));
}
