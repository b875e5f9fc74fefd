import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { KeyPair } from '../certificate/key-pair.ts';
import { KubeletServer, type KubeletServerOptions } from '../server.ts';
import { TestAuthority } from './authority.ts';
import { FakeBackend, FakePods, FakeReviews, FakeUsage, recordingLogger } from './fakes.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly token?: string;
  readonly client?: KeyPair;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A kubelet API on the loopback interface with an authority of its own, and everything that it asks. Closed with the test. */
export class TestKubelet {
  readonly reviews: FakeReviews = new FakeReviews();
  readonly pods: FakePods = new FakePods();
  readonly usage: FakeUsage = new FakeUsage();
  readonly backend: FakeBackend = new FakeBackend();
  readonly logger: ReturnType<typeof recordingLogger> = recordingLogger();
  readonly authority: TestAuthority;
  readonly serving: KeyPair;
  readonly server: KubeletServer;
  port = 0;

  private constructor(authority: TestAuthority, serving: KeyPair, options: Partial<KubeletServerOptions>) {
    this.authority = authority;
    this.serving = serving;
    this.server = new KubeletServer({
      nodeName: 'virtual',
      pods: this.pods,
      usage: this.usage,
      backend: this.backend,
      reviews: this.reviews,
      logger: this.logger,
      tls: { ...serving, clientCa: authority.cert },
      ...options,
    });
  }

  static async start(options: Partial<KubeletServerOptions> = {}): Promise<TestKubelet> {
    const authority = await TestAuthority.create('cluster');
    const serving = await authority.issue({ name: [{ CN: ['node'] }], usage: 'server', address: '127.0.0.1' });
    const kubelet = new TestKubelet(authority, serving, options);
    onTestFinished(() => kubelet.server.close());
    ({ port: kubelet.port } = await kubelet.server.listen({ host: '127.0.0.1', port: 0 }));
    // Who may do everything, by token and by certificate.
    kubelet.reviews.tokens.set('admin-token', { name: 'admin', groups: ['system:authenticated'] });
    for (const subresource of ['healthz', 'pods', 'proxy', 'metrics', 'stats']) {
      for (const verb of ['get', 'create']) kubelet.reviews.allowed.add(`admin ${verb} ${subresource}`);
    }
    return kubelet;
  }

  /** A client certificate of the cluster's authority. */
  client(name: string, ...groups: readonly string[]): Promise<KeyPair> {
    return this.authority.issue({ name: [{ CN: [name] }, ...groups.map((group) => ({ O: [group] }))] });
  }

  get url(): URL {
    return new URL(`https://127.0.0.1:${this.port}`);
  }

  connect(client?: KeyPair): TLSSocket {
    const socket = connect({ host: '127.0.0.1', port: this.port, ca: this.authority.cert, ...client });
    return socket.on('error', () => {});
  }

  /** The response when its head is here. */
  open(path: string, { method = 'GET', token, client, headers }: RequestOptions = {}): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest(new URL(path, this.url), {
        method,
        agent: false,
        ca: this.authority.cert,
        headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
        ...client,
      });
      request.once('response', resolve);
      request.once('error', reject);
      request.end();
    });
  }

  async request(path: string, options: RequestOptions = {}): Promise<Answer> {
    const response = await this.open(path, options);
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
  }

  /** As somebody who may do everything. */
  admin(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.request(path, { token: 'admin-token', ...options });
  }
}
