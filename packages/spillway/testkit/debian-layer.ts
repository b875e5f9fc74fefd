import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './run-command.ts';

/** With nothing that only an installation or a reader needs. */
const leftOut = [
  ...[
    'doc',
    'man',
    'locale',
    'info',
    'lintian',
    'bash-completion',
    'perl',
    'perl5',
    'bug',
    'zsh',
    'vim',
    'polkit-1',
  ].map((name) => `./usr/share/${name}`),
  './usr/lib/systemd',
  './lib/systemd',
  './usr/lib/udev',
  './lib/udev',
  './var/lib/dpkg',
  './var/cache',
  './usr/lib/*/perl*',
  './usr/bin/perl*',
  './etc/nsswitch.conf',
  './etc/hosts',
  './etc/resolv.conf',
];

/**
 * Packages of Debian with all that they need, unpacked but not installed, as one tar archive. Returns its path; what is in
 * `cacheDir` already is taken from there. Needs root and apt.
 *
 * @param without packages whose contents are in another layer already
 */
export async function debianLayer(
  cacheDir: string,
  packages: readonly string[],
  without: readonly string[],
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([release, packages, without, leftOut]))
    .digest('hex')
    .slice(0, 12);
  const archive = path.join(cacheDir, `debian-${key}.tar`);
  if (await exists(archive)) return archive;
  report(`packages of Debian: ${packages.join(', ')}`);
  const work = await mkdtemp(path.join(cacheDir, 'work-'));
  try {
    const debs = await download(work, packages, signal);
    const known = new Set(
      without.length === 0 ? [] : (await download(work, without, signal)).map((deb) => path.basename(deb)),
    );
    const root = path.join(work, 'root');
    await mkdir(root);
    for (const deb of debs.filter((file) => !known.has(path.basename(file)))) {
      await run('dpkg-deb', ['--extract', deb, root], { signal });
    }
    const reproducible = ['--sort=name', '--mtime=@0', '--numeric-owner'];
    const excludes = leftOut.map((pattern) => `--exclude=${pattern}`);
    const made = path.join(work, 'layer.tar');
    await run('tar', [...reproducible, ...excludes, '-C', root, '-cf', made, '.'], { signal });
    await rename(made, archive);
    return archive;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** As if nothing was installed, so that everything comes that the packages need. */
async function download(work: string, packages: readonly string[], signal: AbortSignal): Promise<string[]> {
  const archives = await mkdtemp(path.join(work, 'archives-'));
  await mkdir(path.join(archives, 'partial'));
  const status = path.join(work, 'status');
  await writeFile(status, '');
  const options = [
    `Dir::State::status=${status}`,
    `Dir::Cache::archives=${archives}`,
    'APT::Install-Recommends=false',
    'APT::Sandbox::User=root',
    'Debug::NoLocking=true',
  ].flatMap((option) => ['-o', option]);
  const install = ['-y', '-qq', ...options, '--download-only', 'install', ...packages];
  try {
    await run('apt-get', install, { signal });
  } catch {
    signal.throwIfAborted();
    // Without lists, or with old ones, packages are not found.
    await run('apt-get', ['-qq', 'update'], { signal });
    await run('apt-get', install, { signal });
  }
  const files = await readdir(archives);
  return files
    .filter((name) => name.endsWith('.deb'))
    .map((name) => path.join(archives, name))
    .toSorted();
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
