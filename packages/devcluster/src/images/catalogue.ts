import { readFile } from 'node:fs/promises';
import { programPath, type ClusterFacts } from '../components/component.ts';
import { exec } from '../exec.ts';
import { hostProgram } from '../host/report.ts';
import type { ImageSpec } from './oci.ts';
import { agnhostImage, busyboxImage, centosImage, pauseImage } from './names.ts';
import type { TarEntry } from './tar.ts';

export interface NamedImage {
  readonly names: readonly string[];
  readonly spec: ImageSpec;
}

/**
 * The images of a cluster, made of static programs. Each holds what its name makes one expect of it, and nothing else:
 *
 * | image | holds |
 * |---|---|
 * | pause | a program that waits and reaps |
 * | busybox | Debian's static BusyBox with all its applets, `tar` among them |
 * | centos | a shell environment only: `/bin/bash` (static, of Debian) and BusyBox applets; no package manager |
 * | agnhost | Kubernetes' own test program as entry point, and BusyBox applets |
 */
export async function clusterImages(facts: ClusterFacts): Promise<NamedImage[]> {
  const [base, bash, agnhost, pause] = await Promise.all([
    busyboxFiles(),
    readFile(hostProgram('bash-static')),
    readFile(programPath(facts, 'agnhost')),
    readFile(programPath(facts, 'pause')),
  ]);
  return [
    { names: [pauseImage], spec: { entries: [executable('pause', pause)], entrypoint: ['/pause'] } },
    { names: [busyboxImage], spec: { entries: base, command: ['sh'] } },
    {
      names: [centosImage],
      spec: { entries: [...base, executable('bin/bash', bash)], command: ['/bin/bash'] },
    },
    {
      names: [agnhostImage],
      spec: { entries: [...base, executable('agnhost', agnhost)], entrypoint: ['/agnhost'], command: ['pause'] },
    },
  ];
}

/**
 * A static BusyBox with all its applets. @throws DevClusterError when this machine does not have it
 *
 * @param program its path; default: Debian's
 */
export async function busyboxFiles(program: string = hostProgram('busybox-static')): Promise<readonly TarEntry[]> {
  const [busybox, applets] = await Promise.all([readFile(program), busyboxApplets(program)]);
  return [...rootFileSystem, executable('bin/busybox', busybox), ...applets.map(applet)];
}

async function busyboxApplets(program: string): Promise<string[]> {
  const { stdout } = await exec(program, ['--list']);
  return stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
}

function applet(name: string): TarEntry {
  return { type: 'symlink', path: `bin/${name}`, target: '/bin/busybox' };
}

function executable(path: string, content: Uint8Array): TarEntry {
  return { type: 'file', path, mode: 0o755, content };
}

function text(path: string, content: string): TarEntry {
  return { type: 'file', path, mode: 0o644, content: Buffer.from(content) };
}

const rootFileSystem: readonly TarEntry[] = [
  ...[
    'bin',
    'dev',
    'etc',
    'home',
    'proc',
    'root',
    'run',
    'sbin',
    'sys',
    'usr',
    'usr/bin',
    'usr/sbin',
    'var',
    'var/run',
  ].map((path): TarEntry => ({ type: 'directory', path, mode: 0o755 })),
  { type: 'directory', path: 'tmp', mode: 0o1777 },
  { type: 'symlink', path: 'usr/bin/env', target: '/bin/busybox' },
  text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
  text('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
];
