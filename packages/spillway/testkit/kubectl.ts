import type { Cluster } from '@spillway/devcluster';
import type { KubeObject } from '@spillway/kube';

/** kubectl as a user has it, on the test cluster; every call throws with kubectl's own words when it fails. */
export class Kubectl {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async run(args: readonly string[], input?: string | Buffer): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr || stdout}`);
    return stdout;
  }

  try(args: readonly string[], input?: string | Buffer): Promise<{ code: number; stdout: string; stderr: string }> {
    return this.#cluster.kubectl([...args], input === undefined ? {} : { input });
  }

  async get<T extends KubeObject>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run(['get', ...args, '-o', 'json'])) as T;
  }

  async list<T extends KubeObject>(args: readonly string[]): Promise<T[]> {
    return (JSON.parse(await this.run(['get', ...args, '-o', 'json'])) as { items: T[] }).items;
  }

  async apply(...manifests: readonly object[]): Promise<void> {
    await this.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
  }
}
