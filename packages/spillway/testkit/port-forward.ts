import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Cluster } from '@spillway/devcluster';
import { environmentOf, type KubectlProgram } from './run.ts';

/** `kubectl port-forward` while it runs. */
export class PortForward implements AsyncDisposable {
  /** kubectl listens where the cluster is: its loopback is not the test's. */
  readonly #address: string;
  readonly #child: ReturnType<Cluster['spawn']>;
  readonly #exited: Promise<unknown>;
  readonly #locals = new Map<number, number>();
  #output = '';

  private constructor(address: string, child: ReturnType<Cluster['spawn']>) {
    this.#address = address;
    this.#child = child;
    this.#exited = once(child, 'close');
  }

  /** Resolves when all ports of the pod can be reached. */
  static async start(
    cluster: Cluster,
    program: KubectlProgram,
    { namespace, pod, ports }: { readonly namespace: string; readonly pod: string; readonly ports: readonly number[] },
  ): Promise<PortForward> {
    const address = cluster.nodeAddress;
    const args = ['port-forward', '-n', namespace, pod, `--address=${address}`, ...ports.map((port) => `:${port}`)];
    const child = cluster.spawn(program.path, args, { env: environmentOf(cluster, program), stdio: 'pipe' });
    const forward = new PortForward(address, child);
    await forward.#ready(ports);
    return forward;
  }

  /** What kubectl has said so far. */
  get output(): string {
    return this.#output;
  }

  /** Resolves with all that kubectl said when it has ended by itself. */
  async ended(): Promise<string> {
    await this.#exited;
    return this.#output;
  }

  /** A connection that ends its halves one by one. */
  async open(port: number): Promise<Socket> {
    const socket = connect({ host: this.#address, port: this.#locals.get(port) ?? 0, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #ready(ports: readonly number[]): Promise<void> {
    const ready = Promise.withResolvers<void>();
    const read = (chunk: Buffer): void => {
      this.#output += String(chunk);
      for (const [, local, port] of this.#output.matchAll(/Forwarding from [\d.]+:(\d+) -> (\d+)/g)) {
        this.#locals.set(Number(port), Number(local));
      }
      if (ports.every((port) => this.#locals.has(port))) ready.resolve();
    };
    this.#child.stdout?.on('data', read);
    this.#child.stderr?.on('data', read);
    const failed = this.#exited.then(() => {
      throw new Error(`kubectl port-forward ended: ${this.#output}`);
    });
    failed.catch(() => {});
    await Promise.race([ready.promise, failed]);
  }
}

/** Sends so many bytes to who sends them back, while it reads them; resolves with both checksums. */
export async function echoed(socket: Socket, bytes: number): Promise<{ readonly sent: string; readonly back: string }> {
  const block = Buffer.alloc(1 << 20, 'Spillway');
  const sent = createHash('sha256');
  const source = Readable.from(
    (function* () {
      for (let left = bytes; left > 0; left -= block.length) {
        const piece = block.subarray(0, left);
        // So that no two blocks are the same.
        piece.writeDoubleLE(left, 0);
        sent.update(piece);
        yield Buffer.from(piece);
      }
    })(),
  );
  const [back] = await Promise.all([digest(socket, bytes), pipeline(source, socket, { end: false })]);
  socket.destroy();
  return { sent: sent.digest('hex'), back: back.digest('hex') };
}

async function digest(socket: Socket, bytes: number): Promise<Hash> {
  const hash = createHash('sha256');
  let left = bytes;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    hash.update(chunk as Buffer);
    left -= (chunk as Buffer).length;
    if (left <= 0) break;
  }
  return hash;
}
