import { Readable, Writable } from 'node:stream';
import type { ContainerStatus } from '@spillway/kube';
import { offered } from './offered.ts';
import { eventually, eventuallyWith } from '../../../testkit/eventually.ts';
import {
  type Backend,
  BackendError,
  type Instance,
  type InstanceEvent,
  type InstanceRef,
  type LogOptions,
  type Notice,
  type PortForwarder,
  type Workload,
} from '../backend.ts';

/** Drives a backend the way the pod core does, and remembers what the backend told. */
export class Driver {
  readonly backend: Backend;
  readonly notices: { readonly uid: string; readonly notice: Notice }[] = [];
  readonly events: InstanceEvent[] = [];
  readonly #end = new AbortController();
  readonly #watching: Promise<void>;

  constructor(backend: Backend) {
    this.backend = backend;
    this.#watching = this.#watch();
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  async run(workload: Workload): Promise<Workload> {
    await this.backend.create(workload, this.signal);
    return workload;
  }

  async find({ uid }: InstanceRef): Promise<Instance | undefined> {
    const { complete, instances } = await this.backend.list(this.signal);
    if (!complete) throw new Error('the listing is not complete');
    return instances.find(({ ref }) => ref.uid === uid);
  }

  async reaches({ ref }: Workload, state: Instance['state']): Promise<Instance> {
    return await eventually(`pod ${ref.name} is ${state}`, async () => {
      const instance = await this.find(ref);
      return instance?.state === state && instance;
    });
  }

  /** Waits until the watch has told of it. */
  async isSeen({ ref }: Workload): Promise<void> {
    await eventually(`pod ${ref.name} is seen`, () =>
      this.events.some((each) => each.type === 'changed' && each.instance.ref.uid === ref.uid),
    );
  }

  /** Waits until nothing is there any more, and tells how it was last seen. */
  async isGone({ ref }: Workload): Promise<Instance> {
    await eventually(`pod ${ref.name} is gone`, () =>
      this.events.some((each) => each.type === 'gone' && each.ref.uid === ref.uid),
    );
    const last = this.events.findLast((each) => each.type === 'changed' && each.instance.ref.uid === ref.uid);
    if (last?.type !== 'changed') throw new Error(`pod ${ref.name} was never seen`);
    return last.instance;
  }

  /** Waits for a container to be as the test says. */
  async container(
    { ref }: Workload,
    name: string,
    test: (status: ContainerStatus) => boolean,
  ): Promise<ContainerStatus> {
    let instance: Instance | undefined;
    const evidence = async (): Promise<string> => `last seen: ${JSON.stringify(instance?.containerStatuses)}`;
    return await eventuallyWith({ evidence })(`container ${name} of pod ${ref.name} is as expected`, async () => {
      instance = await this.find(ref);
      return [...(instance?.initContainerStatuses ?? []), ...(instance?.containerStatuses ?? [])].find(
        (status) => status.name === name && test(status),
      );
    });
  }

  async logs({ ref }: Workload, container = 'main', options: Partial<LogOptions> = {}): Promise<string> {
    const parts: Uint8Array[] = [];
    const sink = { write: async (chunk: Uint8Array): Promise<void> => void parts.push(Buffer.from(chunk)) };
    await this.backend.logs?.(ref, container, { ...wholeLog, ...options }, sink, this.signal);
    return Buffer.concat(parts).toString();
  }

  async exec({ ref }: Workload, command: readonly string[], input?: string | Buffer): Promise<ExecOutput> {
    const stdout = new Collector();
    const stderr = new Collector();
    const io = {
      tty: false,
      stdout,
      stderr,
      ...(input !== undefined && { stdin: Readable.from([Buffer.from(input)]) }),
    };
    const result = await this.backend.exec?.(ref, 'main', command, offered(io), this.signal);
    return { ...result, stdout: stdout.bytes, stderr: stderr.bytes };
  }

  /** Gives the input to what the container runs and ends it; resolves with the output when the container has ended. */
  async attach({ ref }: Workload, input: string): Promise<ExecOutput> {
    const stdout = new Collector();
    const stderr = new Collector();
    const io = { tty: false, stdin: Readable.from([Buffer.from(input)]), stdout, stderr };
    if (!this.backend.attach) throw new BackendError('invalid', 'not offered');
    const result = await this.backend.attach(ref, 'main', offered(io), this.signal);
    return { ...result, stdout: stdout.bytes, stderr: stderr.bytes };
  }

  async portForward({ ref }: Workload): Promise<PortForwarder> {
    if (!this.backend.portForward) throw new BackendError('invalid', 'not offered');
    return await this.backend.portForward(ref, this.signal);
  }

  /** Sends the input to a port and ends that half; resolves with what came back, and why the connection failed. */
  async exchange(way: PortForwarder, port: number, input: Buffer): Promise<{ output: Buffer; failure: string }> {
    const output = new Collector();
    const failure = Promise.withResolvers<string>();
    way.forward({
      port,
      readable: Readable.from([input]),
      writable: output,
      finish: (error = '') => failure.resolve(error),
    });
    return { failure: await failure.promise, output: output.bytes };
  }

  noticesOf({ ref }: Workload): Notice[] {
    return this.notices.filter(({ uid }) => uid === ref.uid).map(({ notice }) => notice);
  }

  /** Removes everything that is left, then stops watching. The backend stays open. */
  async finish(): Promise<void> {
    const { instances } = await this.backend.list(this.signal);
    await Promise.all(instances.map(({ ref }) => this.backend.remove(ref, this.signal)));
    await this.detach();
  }

  /** Stops watching and leaves everything as it is. */
  async detach(): Promise<void> {
    this.#end.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    for await (const event of this.backend.watch?.(this.#end.signal) ?? []) {
      this.events.push(event);
      if (event.type === 'notice') this.notices.push({ uid: event.ref.uid, notice: event.notice });
    }
  }
}

export interface ExecOutput {
  readonly exitCode?: number;
  readonly error?: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

const wholeLog: LogOptions = { follow: false, timestamps: false, previous: false, stream: 'All' };

class Collector extends Writable {
  readonly #parts: Buffer[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#parts.push(chunk);
    done();
  }
}
