import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import path from 'node:path';

/** What is answered; undefined: nothing, for ever. */
export type Answer = { readonly status?: number; readonly body: object } | undefined;

/** An API server as far as commands ask one, and the kubeconfig that leads to it. */
export class FakeApi implements AsyncDisposable {
  readonly kubeconfig: string;
  readonly #server: Server;

  private constructor(server: Server, kubeconfig: string) {
    this.#server = server;
    this.kubeconfig = kubeconfig;
  }

  /** @param answer for a method and a path without its query, e.g. `GET /api/v1/nodes` */
  static async start(folder: string, answer: (request: string) => Answer): Promise<FakeApi> {
    const server = createServer((request, response) => {
      const found = answer(`${request.method} ${request.url?.split('?')[0]}`);
      if (found === undefined) return;
      response.writeHead(found.status ?? 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(found.body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const kubeconfig = path.join(folder, `kubeconfig-${port}`);
    const text = JSON.stringify({
      'current-context': 'a',
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      clusters: [{ name: 'a', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'a', user: { token: 't' } }],
    });
    await writeFile(kubeconfig, text);
    return new FakeApi(server, kubeconfig);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A cluster with one virtual node, where all is well and there is the pod default/web. */
export function healthy(request: string): Answer {
  const [method = '', url = ''] = request.split(' ');
  const taint = { key: 'virtual-kubelet.io/burst-to-cci', value: 'cci', effect: 'NoSchedule' };
  const metadata = { name: 'vk', labels: { type: 'virtual-kubelet' } };
  const conditions = [{ type: 'Ready', status: 'True' }];
  const pod = { metadata: { name: 'web', namespace: 'default', uid: 'u' }, spec: { containers: [] } };
  if (url === '/version') return { body: { gitVersion: 'v1.36.3' } };
  if (url === '/api/v1/namespaces/kube-system') return { body: { metadata: { name: 'kube-system', uid: 'c' } } };
  if (url === '/api/v1/namespaces/default/pods/web') return { body: pod };
  if (method === 'POST') return { body: { ...pod, spec: { containers: [], tolerations: [taint] } } };
  if (url === '/api/v1/nodes') return list({ metadata, spec: { taints: [taint] }, status: { conditions } });
  if (url.endsWith('/kube-node-lease/leases')) {
    return list({ metadata: { name: 'vk' }, spec: { renewTime: new Date().toISOString() } });
  }
  return list();
}

/** As the API server says no. */
export const refusal = (status: number, message: string): Answer => ({
  status,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: status },
});

function list(...items: readonly object[]): Answer {
  return { body: { metadata: { resourceVersion: '1' }, items } };
}
