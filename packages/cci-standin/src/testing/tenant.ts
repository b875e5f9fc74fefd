import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { ExecResult } from '@spillway/devcluster';
import { expect, vi } from 'vitest';
import type { Region } from '../region.ts';
import { open, send, signed, type Answer, type Sent } from './client.ts';

const resources = { limits: { cpu: '250m', memory: '1Gi' }, requests: { cpu: '250m', memory: '1Gi' } };

export interface PodStatus {
  readonly phase: string;
  readonly podIP: string;
  readonly containerStatuses: readonly [
    { readonly containerID: string; readonly state: object; readonly ready: boolean },
  ];
}

/** The first account of a region, at work in a namespace of its own: its key for the API, its token for kubectl. */
export class Tenant {
  readonly #region: Region;
  readonly #namespace: string;
  readonly #ca: string;

  private constructor(region: Region, namespace: string, ca: string) {
    this.#region = region;
    this.#namespace = namespace;
    this.#ca = ca;
  }

  /** Resolves when the namespace's network is Active. */
  static async in(region: Region, namespace: string): Promise<Tenant> {
    const tenant = new Tenant(region, namespace, await readFile(region.caFile, 'utf8'));
    const flavour = { 'namespace.kubernetes.io/flavor': 'general-computing' };
    const metadata = { name: namespace, annotations: flavour };
    await tenant.#made('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
    const networks = `/apis/networking.cci.io/v1beta1/namespaces/${namespace}/networks`;
    await tenant.#made(networks, {
      apiVersion: 'networking.cci.io/v1beta1',
      kind: 'Network',
      metadata: { name: 'network', annotations: { 'network.alpha.kubernetes.io/default-security-group': 'sg' } },
      spec: { attachedVPC: 'vpc', networkType: 'underlay_neutron', networkID: 'net', subnetID: 'subnet' },
    });
    await until(() => tenant.call('GET', `${networks}/network`), { body: { status: { state: 'Active' } } });
    return tenant;
  }

  /** The path of a pod. */
  pod(name: string): string {
    return `${this.#pods}/${name}`;
  }

  call(method: string, path: string, body?: unknown): Promise<Answer> {
    const url = `${this.#region.endpoint}${path}`;
    const headers = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {};
    return send(url, this.#signed(url, { method, headers, ...(body === undefined ? {} : { body }) }));
  }

  /** A pod of one container that runs a script. */
  async create(name: string, script: string, spec: object = {}, image = 'busybox'): Promise<void> {
    const container = { name: 'main', image, command: ['sh', '-c', script], resources };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [container], ...spec } };
    await this.#made(this.#pods, pod);
  }

  async statusOf(name: string): Promise<Partial<PodStatus>> {
    const { body } = await this.call('GET', this.pod(name));
    // The API server's answer.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (body as { status: Partial<PodStatus> }).status;
  }

  /** Resolves when the pod is ready. */
  async running(name: string): Promise<Partial<PodStatus>> {
    await until(() => this.statusOf(name), { containerStatuses: [{ ready: true }] });
    return this.statusOf(name);
  }

  /** The first line of a watch. */
  async firstFrame(path: string): Promise<unknown> {
    const url = `${this.#region.endpoint}${path}`;
    const response = await open(url, this.#signed(url, {}));
    for await (const line of createInterface(response)) {
      response.destroy();
      return JSON.parse(line);
    }
    return undefined;
  }

  /** What a pod says from now on, as it comes. */
  async follow(name: string): Promise<{ said(): string }> {
    const url = `${this.#region.endpoint}${this.pod(name)}/log?follow=true`;
    const response = await open(url, this.#signed(url, {}));
    let said = '';
    response.on('data', (chunk: Buffer) => (said += chunk.toString()));
    response.on('error', () => undefined);
    return { said: () => said };
  }

  /** With kubectl, as with CCI. */
  async exec(
    name: string,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ExecResult> {
    const { endpoint, caFile, cluster } = this.#region;
    const login = ['--server', endpoint, '--certificate-authority', caFile, '--token', await this.#token()];
    const args = [...login, '-n', this.#namespace, 'exec', name, '--', ...command];
    return cluster.kubectl(args, { env: { KUBECONFIG: '/dev/null', ...env } });
  }

  get #pods(): string {
    return `/api/v1/namespaces/${this.#namespace}/pods`;
  }

  async #made(path: string, object: object): Promise<void> {
    expect(await this.call('POST', path, object)).toMatchObject({ status: 201 });
  }

  #signed(url: string, sent: Sent): Sent {
    const [key] = this.#region.accounts[0]?.users[0]?.accessKeys ?? [];
    if (key === undefined) throw new Error('the region has no access key');
    return { ...sent, ca: this.#ca, headers: signed(key, url, sent) };
  }

  async #token(): Promise<string> {
    const { accounts, iamEndpoint } = this.#region;
    const { domain, project, users } = accounts[0] ?? {};
    const password = {
      user: { name: users?.[0]?.name, password: users?.[0]?.password, domain: { name: domain?.name } },
    };
    const identity = { methods: ['password'], password };
    const body = { auth: { identity, scope: { project: { name: project?.name } } } };
    const answer = await send(`${iamEndpoint}/v3/auth/tokens`, { method: 'POST', body, ca: this.#ca });
    return String(answer.headers['x-subject-token']);
  }
}

/** Also outside of tests, where there is no `expect.poll`. */
async function until(answer: () => Promise<unknown>, expected: object): Promise<void> {
  await vi.waitFor(async () => expect(await answer()).toMatchObject(expected), { timeout: 120_000, interval: 100 });
}
