import type { Cluster } from '@spillway/devcluster';

/** Runs shell lines on a real pseudo-terminal (util-linux `script`) and returns everything it showed. `typed` is there to be read. */
export async function terminal(cluster: Cluster, lines: readonly string[], typed = ''): Promise<string> {
  const child = cluster.spawn('script', ['-qec', lines.join('\n'), '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig, SHELL: '/bin/bash', TERM: 'xterm' },
  });
  child.stdin?.write(typed);
  let shown = '';
  for await (const chunk of child.stdout ?? []) shown += String(chunk);
  return shown;
}
