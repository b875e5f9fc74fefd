import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exists } from '../../testkit/debian-layer.ts';
import { run } from '../../testkit/run-command.ts';

/** Configuration of the source, besides its defaults. The headers of newer kernels lack what `tc` needs. */
const settings = [
  ['# CONFIG_STATIC is not set', 'CONFIG_STATIC=y'],
  ['CONFIG_TC=y', '# CONFIG_TC is not set'],
  ['CONFIG_FEATURE_TC_INGRESS=y', '# CONFIG_FEATURE_TC_INGRESS is not set'],
] as const;

/**
 * Path of a static busybox as its authors publish it. Debian's own shell does not hand on variables whose names are no
 * identifiers (`data-1`), which tests of Kubernetes look for. Built once, from Debian's copy of the source; needs gcc and make.
 */
export async function upstreamBusybox(
  cacheDir: string,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const program = path.join(cacheDir, 'busybox');
  if (await exists(program)) return program;
  report('busybox, from its source; this takes a minute or two');
  const work = await mkdtemp(path.join(cacheDir, 'work-'));
  try {
    const source = await fetchSource(work, signal);
    await run('make', ['defconfig'], { cwd: source, signal });
    const file = path.join(source, '.config');
    const config = settings.reduce((text, [from, to]) => text.replace(from, to), await readFile(file, 'utf8'));
    await writeFile(file, config);
    await run('sh', ['-c', "yes '' | make oldconfig >/dev/null"], { cwd: source, signal });
    await run('make', ['-j2'], { cwd: source, signal });
    await rename(path.join(source, 'busybox'), program);
    return program;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fetchSource(work: string, signal: AbortSignal): Promise<string> {
  const [lists, parts] = [path.join(work, 'lists'), path.join(work, 'parts')];
  await mkdir(path.join(lists, 'partial'), { recursive: true });
  await mkdir(parts);
  await writeFile(path.join(parts, 'source.sources'), await sourceEntries());
  const options = [
    'Dir::Etc::sourcelist=/dev/null',
    `Dir::Etc::sourceparts=${parts}`,
    `Dir::State::lists=${lists}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  await run('apt-get', [...options, '-qq', 'update'], { cwd: work, signal });
  await run('apt-get', [...options, '-qq', 'source', '--download-only', 'busybox'], { cwd: work, signal });
  const archive = (await readdir(work)).find((name) => /^busybox_.*\.orig\.tar\./.test(name));
  if (archive === undefined) throw new Error('the source package of busybox holds no source of busybox');
  await run('tar', ['-xf', archive], { cwd: work, signal });
  const folder = (await readdir(work)).find((name) => /^busybox-\d/.test(name));
  if (folder === undefined) throw new Error(`${archive} holds no folder of busybox`);
  return path.join(work, folder);
}

/** Where this system has its packages from, asked for sources. */
async function sourceEntries(): Promise<string> {
  const file = '/etc/apt/sources.list.d/debian.sources';
  try {
    return (await readFile(file, 'utf8')).replaceAll(/^Types:.*$/gm, 'Types: deb-src');
  } catch (cause) {
    throw new Error(`the source of busybox comes from Debian, and ${file} does not say where that is`, { cause });
  }
}
