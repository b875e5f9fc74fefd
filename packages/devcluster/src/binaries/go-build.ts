import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DevClusterError } from '../errors.ts';
import { exec } from '../exec.ts';
import type { Binary } from './catalogue.ts';

/** The version of the Go command (`go1.26.8`), undefined when there is none or one that cannot fetch its successors. */
export async function goVersion(): Promise<string | undefined> {
  try {
    const { stdout, code } = await exec('go', ['env', 'GOVERSION']);
    const version = stdout.trim();
    const [, minor] = /^go1\.(\d+)/.exec(version) ?? [];
    return code === 0 && minor !== undefined && Number(minor) >= 21 ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Builds from the pinned modules; go.sum makes sure that they are the same everywhere. */
export function goBuild(wanted: Binary, toolsDir: string, path: string, signal?: AbortSignal): Promise<void> {
  const command = wanted.tests === true ? ['test', '-c', '-vet=off'] : ['build'];
  const tags = wanted.tags === undefined ? [] : ['-tags', wanted.tags];
  const args = [...command, ...tags, '-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags', wanted.ldflags];
  return new Promise((resolve, reject) => {
    const child = spawn('go', [...args, '-o', path, wanted.goPackage], {
      cwd: join(toolsDir, wanted.module),
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal ? { signal } : {}),
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      reject(new DevClusterError('binary', `go build of ${wanted.name} ${wanted.version} failed:\n${said.trim()}`));
    });
  });
}
