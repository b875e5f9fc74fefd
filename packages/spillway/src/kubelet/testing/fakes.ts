import type { ContainerStatus, Logger, Pod } from '@spillway/kube';
import type {
  Backend,
  ContainerStreams,
  OfferedStreams,
  ExecResult,
  InstanceRef,
  LogOptions,
  LogSink,
  PortForwarder,
} from '../../backends/backend.ts';
import type { Explanation } from '../../pods/explain.ts';
import type { AccessQuestion, Reviews, User } from '../auth/reviews.ts';
import type { StreamingBackend } from '../handlers/context.ts';
import type { KnownPod, PodLookup } from '../../pods/known-pods.ts';
import type { NodeFigures } from '../../usage/figures.ts';
import type { UsageSource } from '../../usage/usage-sampler.ts';

/** Answers that a test sets, and what was asked. */
export class FakeReviews implements Reviews {
  readonly tokens: Map<string, User> = new Map();
  /** `user verb subresource` */
  readonly allowed: Set<string> = new Set();
  readonly asked: string[] = [];
  failure: Error | undefined;

  tokenReview(token: string): Promise<User | undefined> {
    this.asked.push(`token ${token}`);
    return this.#answer(this.tokens.get(token));
  }

  subjectAccessReview({ name }: User, { verb, subresource }: AccessQuestion): Promise<boolean> {
    this.asked.push(`${name} ${verb} ${subresource}`);
    return this.#answer(this.allowed.has(`${name} ${verb} ${subresource}`));
  }

  #answer<T>(value: T): Promise<T> {
    return this.failure === undefined ? Promise.resolve(value) : Promise.reject(this.failure);
  }
}

export class FakePods implements PodLookup {
  readonly known: KnownPod[] = [];
  explanation: Explanation | undefined;

  byName(namespace: string, name: string): KnownPod | undefined {
    return this.known.find(({ pod }) => pod.metadata?.namespace === namespace && pod.metadata.name === name);
  }

  explain(): Explanation | undefined {
    return this.explanation;
  }

  all(): Iterable<KnownPod> {
    return this.known;
  }
}

/** Figures that a test sets. */
export class FakeUsage implements UsageSource {
  readonly startedAtMs: number = Date.parse('2026-01-01T00:00:00Z');
  known: NodeFigures | undefined;

  async figures(): Promise<NodeFigures | undefined> {
    return this.known;
  }
}

type Logs = (options: LogOptions, sink: LogSink, signal: AbortSignal) => Promise<void>;
type Exec = (command: readonly string[], io: ContainerStreams, signal: AbortSignal) => Promise<ExecResult>;

/** A backend with one behaviour for each verb, and what it was called with. */
export class FakeBackend implements StreamingBackend {
  capabilities: Backend['capabilities'] = {
    runtimeVersion: 'fake://1',
    logs: true,
    exec: true,
    attach: true,
    portForward: true,
    volumeUpdates: false,
  };
  readonly called: { ref: InstanceRef; container: string; with: unknown }[] = [];
  onLogs: Logs = () => Promise.resolve();
  onExec: Exec = () => Promise.resolve({ exitCode: 0 });
  onAttach: (io: ContainerStreams, signal: AbortSignal) => Promise<ExecResult> = () => Promise.resolve({ exitCode: 0 });
  /** Of the way to a container. */
  onOpen: () => Promise<void> = () => Promise.resolve();
  onPortForward: (signal: AbortSignal) => Promise<PortForwarder> = () => Promise.reject(new Error('not set'));

  logs(ref: InstanceRef, container: string, options: LogOptions, sink: LogSink, signal: AbortSignal): Promise<void> {
    this.called.push({ ref, container, with: options });
    return this.onLogs(options, sink, signal);
  }

  async exec(
    ref: InstanceRef,
    container: string,
    command: readonly string[],
    streams: OfferedStreams,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    this.called.push({ ref, container, with: command });
    await this.onOpen();
    return await this.onExec(command, await streams.open(), signal);
  }

  async attach(ref: InstanceRef, container: string, streams: OfferedStreams, signal: AbortSignal): Promise<ExecResult> {
    this.called.push({ ref, container, with: 'attach' });
    await this.onOpen();
    return await this.onAttach(await streams.open(), signal);
  }

  portForward(ref: InstanceRef, signal: AbortSignal): Promise<PortForwarder> {
    this.called.push({ ref, container: '', with: 'portForward' });
    return this.onPortForward(signal);
  }
}

export function runningPod(name = 'web', status: Partial<ContainerStatus> = {}): KnownPod {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `uid-of-${name}` },
    spec: { nodeName: 'virtual', containers: [{ name: 'main', image: 'busybox' }] },
  };
  const container: ContainerStatus = {
    name: 'main',
    image: 'busybox',
    imageID: '',
    ready: true,
    restartCount: 0,
    state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    ...status,
  };
  return {
    pod,
    instance: {
      ref: { uid: `uid-of-${name}`, namespace: 'default', name },
      state: 'running',
      podIPs: ['10.0.0.9'],
      startTime: '2026-01-01T00:00:00Z',
      containerStatuses: [container],
      initContainerStatuses: [],
    },
  };
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** Keeps what was logged. */
export function recordingLogger(lines: LogLine[] = []): Logger & { readonly lines: LogLine[] } {
  const at =
    (level: LogLine['level']) =>
    (fields: object, message: string): void =>
      void lines.push({ level, fields, message });
  const logger = { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { ...logger, child: () => recordingLogger(lines) };
}
