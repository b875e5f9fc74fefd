import { fileURLToPath } from 'node:url';
import {
  type CallOptions as GrpcCallOptions,
  Client,
  type ClientUnaryCall,
  credentials,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { BackendError } from '../../backend.ts';
import { trusted } from '../../trusted.ts';
import type { ContainerEventResponse__Output } from '../generated/runtime/v1/ContainerEventResponse.ts';
import type { ImageServiceDefinition } from '../generated/runtime/v1/ImageService.ts';
import type { RuntimeServiceDefinition } from '../generated/runtime/v1/RuntimeService.ts';
import { runtimeError } from './errors.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Absent: the call's own deadline. */
  readonly timeoutMs?: number;
}

type Call<Method> =
  Method extends MethodDefinition<infer Request, infer _Response, infer _Input, infer Output>
    ? (request: Request, options?: CallOptions) => Promise<Output>
    : never;

type Calls<Definition, Names extends keyof Definition> = { readonly [Name in Names]: Call<Definition[Name]> };

const runtimeMethods = [
  'Version',
  'Status',
  'RunPodSandbox',
  'StopPodSandbox',
  'RemovePodSandbox',
  'PodSandboxStatus',
  'ListPodSandbox',
  'CreateContainer',
  'StartContainer',
  'StopContainer',
  'RemoveContainer',
  'ListContainers',
  'ContainerStatus',
  'ReopenContainerLog',
  'Exec',
] as const;
const imageMethods = ['ImageStatus', 'PullImage'] as const;

type RuntimeMethod = (typeof runtimeMethods)[number];
type ImageMethod = (typeof imageMethods)[number];

/** The calls of the container runtime interface that Spillway makes; all fail with a BackendError. */
export type RuntimeCalls = Calls<RuntimeServiceDefinition, RuntimeMethod> & Calls<ImageServiceDefinition, ImageMethod>;

const defaultTimeoutMs = 120_000;
/** Longer than anything that is not stuck. A pull has none: it ends with its signal, and containerd watches its progress. */
const timeouts: Partial<Record<RuntimeMethod | ImageMethod, number>> = {
  Version: 10_000,
  Status: 10_000,
  RunPodSandbox: 240_000,
  PullImage: Number.POSITIVE_INFINITY,
};

/**
 * A connection to a CRI runtime. It is opened by the first call and opened again by itself when the runtime was away; calls
 * made meanwhile fail at once.
 */
export class RuntimeClient {
  readonly calls: RuntimeCalls;
  readonly #client: Client;
  readonly #socket: string;
  readonly #events: AnyMethod;
  readonly #running = new Set<ClientUnaryCall>();

  constructor(socket: string) {
    this.#socket = socket;
    const definition = loadSync(fileURLToPath(new URL('../api.proto', import.meta.url)), {
      longs: String,
      enums: String,
      defaults: true,
      oneofs: true,
    });
    this.#client = new Client(`unix://${socket}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
    });
    const runtime = trusted<RuntimeServiceDefinition>(definition['runtime.v1.RuntimeService']);
    this.#events = trusted<AnyMethod>(runtime.GetContainerEvents);
    const image = trusted<ImageServiceDefinition>(definition['runtime.v1.ImageService']);
    this.calls = trusted<RuntimeCalls>(
      Object.fromEntries([
        ...runtimeMethods.map((name) => [name, this.#callOf(name, trusted<AnyMethod>(runtime[name]))]),
        ...imageMethods.map((name) => [name, this.#callOf(name, trusted<AnyMethod>(image[name]))]),
      ]),
    );
  }

  /**
   * Events of all containers, until the signal aborts or the connection is lost. Fails with an error that `isUnimplemented`
   * recognises where the runtime has none.
   */
  async *events(signal: AbortSignal): AsyncIterable<ContainerEventResponse__Output> {
    const { path, requestSerialize, responseDeserialize } = this.#events;
    const stream = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const event of stream) yield trusted<ContainerEventResponse__Output>(event);
    } catch (error) {
      if (!signal.aborted) throw runtimeError('GetContainerEvents', this.#socket, trusted<ServiceError>(error));
    } finally {
      signal.removeEventListener('abort', cancel);
      stream.cancel();
    }
  }

  /** Calls that are under way fail. */
  close(): void {
    for (const call of this.#running) call.cancel();
    this.#client.close();
  }

  #callOf(
    name: RuntimeMethod | ImageMethod,
    method: AnyMethod,
  ): (request: object, options?: CallOptions) => Promise<object> {
    const { path, requestSerialize, responseDeserialize } = method;
    return async (request, { signal, timeoutMs = timeouts[name] ?? defaultTimeoutMs } = {}) => {
      if (signal?.aborted) throw cancelled(name, signal);
      const options: GrpcCallOptions = Number.isFinite(timeoutMs) ? { deadline: Date.now() + timeoutMs } : {};
      const { promise, resolve, reject } = Promise.withResolvers<object>();
      const done = (error: ServiceError | null, response?: object): void => {
        if (!error) resolve(response ?? {});
        else reject(signal?.aborted ? cancelled(name, signal) : runtimeError(name, this.#socket, error));
      };
      const call = this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, done);
      const cancel = (): void => call.cancel();
      this.#running.add(call);
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        return await promise;
      } finally {
        this.#running.delete(call);
        signal?.removeEventListener('abort', cancel);
      }
    };
  }
}

type AnyMethod = MethodDefinition<object, object, object, object>;

function cancelled(method: string, signal: AbortSignal): BackendError {
  return new BackendError('unavailable', `${method} was cancelled`, { cause: signal.reason });
}
