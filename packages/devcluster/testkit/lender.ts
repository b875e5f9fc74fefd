import { createServer, type Server, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { startCluster, type Cluster, type ClusterOptions } from '../src/index.ts';
import { parseJson } from '../src/json.ts';
import { type Pristine, pristineOf } from './pristine.ts';

/** What a borrower hears: the cluster that it has now, or why it gets none. */
export type Loan = { readonly name: string; readonly pristine: Pristine } | { readonly error: string };

export const returned = 'returned';

interface Owned {
  readonly cluster: Cluster;
  readonly pristine: Pristine;
}

/**
 * Lends control planes to test files. Each has one for itself as long as its connection lasts; when it has said that the
 * control plane is as it was, the next file with the same wishes gets it. There are as many as are ever used at once.
 */
export class Lender {
  readonly socket: string;
  readonly #dir: string;
  readonly #server: Server;
  readonly #idle = new Map<string, Owned[]>();
  readonly #all = new Set<Cluster>();

  private constructor(dir: string) {
    this.#dir = dir;
    this.socket = join(dir, 'lender.sock');
    this.#server = createServer((connection) => void this.#serve(connection));
  }

  static async start(): Promise<Lender> {
    const lender = new Lender(await mkdtemp(join(tmpdir(), 'spillway-lender-')));
    await new Promise<void>((resolve) => lender.#server.listen(lender.socket, resolve));
    return lender;
  }

  async close(): Promise<void> {
    this.#server.close();
    await Promise.all([...this.#all].map((cluster) => cluster.close()));
    await rm(this.#dir, { recursive: true });
  }

  async #serve(connection: Socket): Promise<void> {
    connection.on('error', () => connection.destroy());
    let lent: Owned | undefined;
    let wishes = '';
    for await (const line of createInterface({ input: connection })) {
      if (lent === undefined) {
        wishes = line;
        lent = await this.#lend(connection, wishes);
      } else if (line === returned) {
        this.#idleFor(wishes).push(lent);
        return;
      }
    }
    // Its borrower has died with it, or could not tidy up.
    if (lent !== undefined) await this.#discard(lent.cluster);
  }

  async #lend(connection: Socket, wishes: string): Promise<Owned | undefined> {
    const answer = (loan: Loan): void => void connection.write(`${JSON.stringify(loan)}\n`);
    try {
      const owned = this.#idleFor(wishes).pop() ?? (await this.#start(parseJson<ClusterOptions>(wishes)));
      answer({ name: owned.cluster.name, pristine: owned.pristine });
      return owned;
    } catch (error) {
      answer({ error: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  async #start(options: ClusterOptions): Promise<Owned> {
    const cluster = await startCluster(options);
    this.#all.add(cluster);
    return { cluster, pristine: await pristineOf(cluster) };
  }

  async #discard(cluster: Cluster): Promise<void> {
    this.#all.delete(cluster);
    await cluster.close();
  }

  #idleFor(wishes: string): Owned[] {
    const idle = this.#idle.get(wishes) ?? [];
    this.#idle.set(wishes, idle);
    return idle;
  }
}
