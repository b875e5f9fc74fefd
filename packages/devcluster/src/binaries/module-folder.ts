import { join } from 'node:path';
import { DevClusterError } from '../errors.ts';
import { exec } from '../exec.ts';
import { parseJson } from '../json.ts';
import type { ModuleName } from './catalogue.ts';
import { defaultToolsDir } from './resolve.ts';

/** Where the files of a Go module are (`path@version`), which go.mod and go.sum under tools/ pin. Needs Go. */
export async function moduleFolder(tools: ModuleName, module: string, signal?: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await exec('go', ['mod', 'download', '-json', module], {
    cwd: join(defaultToolsDir, tools),
    env: { ...process.env, GOWORK: 'off' },
    ...(signal ? { signal } : {}),
  });
  if (code === 0) return parseJson<{ Dir: string }>(stdout).Dir;
  throw new DevClusterError('binary', `the Go module ${module} cannot be fetched: ${(stderr || stdout).trim()}`);
}
