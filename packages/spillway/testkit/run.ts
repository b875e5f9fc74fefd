import type { Cluster } from '@spillway/devcluster';

export interface Run {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** One of the versions of kubectl that people have, and how it opens streams. */
export interface KubectlProgram {
  readonly path: string;
  readonly protocol: 'SPDY' | 'WebSocket';
}

export const environmentOf = ({ kubeconfig }: Cluster, { protocol }: KubectlProgram): NodeJS.ProcessEnv => {
  const webSockets = String(protocol === 'WebSocket');
  return {
    ...process.env,
    KUBECONFIG: kubeconfig,
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: webSockets,
    KUBECTL_PORT_FORWARD_WEBSOCKETS: webSockets,
  };
};

/** Runs kubectl to its end, whatever its exit code is. */
export async function runKubectl(
  cluster: Cluster,
  program: KubectlProgram,
  args: readonly string[],
  input: string | Buffer = '',
): Promise<Run> {
  const child = cluster.spawn(program.path, args, { env: environmentOf(cluster, program), stdio: 'pipe' });
  const output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (chunk: Buffer) => output[name].push(chunk));
  }
  // It may end without reading what it is given.
  child.stdin?.on('error', () => {}).end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout: Buffer.concat(output.stdout), stderr: Buffer.concat(output.stderr).toString() };
}
