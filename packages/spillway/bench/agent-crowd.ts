import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StrangerLimits } from '../src/https/strangers.ts';
import type { Share } from '../src/kubelet/auth/stranger-questions.ts';

/** In a process; one agent more takes 30 KiB in it. */
const mostInProcess = 1000;

/** All agents of a crowd have the address of this machine, which pods do not: limits for one address are off. */
export const crowdLimits: { readonly strangers: StrangerLimits; readonly perAddress: Share } = {
  strangers: { perAddress: 1e6, inAll: 1024, openMs: 10_000, bytes: 64 * 1024 },
  perAddress: { perSecond: 1e6, burst: 1e6, underWay: 1e6 },
};

/** Link agents without containers and without pods: only their streams. They end when this is disposed. */
export class AgentCrowd implements AsyncDisposable {
  readonly #port: number;
  readonly #dir: string;
  readonly #children: ChildProcess[] = [];

  private constructor(port: number, dir: string) {
    this.#port = port;
    this.#dir = dir;
  }

  /** @param authorities PEM of the link server at `port` of this machine */
  static async open(port: number, authorities: string): Promise<AgentCrowd> {
    const dir = await mkdtemp(path.join(tmpdir(), 'link-crowd-'));
    await writeFile(path.join(dir, 'authorities'), authorities);
    return new AgentCrowd(port, dir);
  }

  /** One more for each token. */
  async add(tokens: readonly string[]): Promise<void> {
    for (let at = 0; at < tokens.length; at += mostInProcess) {
      const file = path.join(this.#dir, `tokens-${this.#children.length}`);
      await writeFile(file, tokens.slice(at, at + mostInProcess).join('\n'), { mode: 0o600 });
      const args = [String(this.#port), path.join(this.#dir, 'authorities'), file];
      const main = path.join(import.meta.dirname, 'link-agents.ts');
      this.#children.push(fork(main, args, { execArgv: process.execArgv }));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await rm(this.#dir, { recursive: true });
  }
}
