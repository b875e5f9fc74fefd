// Certificates and reviews by a real API server. Streams to containers are tested with the whole product.
import { readFile } from 'node:fs/promises';
import { type Cluster } from '@spillway/devcluster';
import {
  certificateSigningRequests,
  clusterRoleBindings,
  clusterRoles,
  KubeClient,
  loadKubeconfig,
  nameOf,
  serviceAccounts,
  systemClock,
  type TokenRequest,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { kubeReviews } from './auth/reviews.ts';
import { followClientCa } from './certificate/client-ca.ts';
import { CsrCertificateSource } from './certificate/csr-source.ts';
import { checkKeyPair, type KeyPair } from './certificate/key-pair.ts';
import { kubeSigningRequests } from './certificate/signing-requests.ts';
import { recordingLogger } from './testing/fakes.ts';
import { TestKubelet } from './testing/kubelet.ts';

const nodeName = 'burst';
let cluster: Cluster;
let admin: KubeClient;
let node: KubeClient;
let clientCa: string;

beforeAll(async () => {
  cluster = await borrowCluster();
  admin = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  node = admin.impersonate({ user: `system:node:${nodeName}`, groups: ['system:nodes'] });
  clientCa = await readFile(cluster.ca.certFile, 'utf8');
});

afterAll(async () => {
  await Promise.all([node?.close(), admin?.close()]);
  await cluster?.close();
});

/** A kubelet API whose reviews the cluster answers. */
async function start(): Promise<TestKubelet> {
  const kubelet = await TestKubelet.start({ reviews: kubeReviews({ client: node, nodeName }) });
  kubelet.server.setTls({ ...kubelet.serving, clientCa });
  return kubelet;
}

async function tokenOf(name: string): Promise<string> {
  const ref = { namespace: 'default', name };
  await admin.resource(serviceAccounts).create({ metadata: ref });
  const request: TokenRequest = { spec: { audiences: [] } };
  const { status } = await admin
    .resource(serviceAccounts)
    .create<TokenRequest>(request, { ...ref, subresource: 'token' });
  return status?.token ?? '';
}

async function allow(name: string, verb: string, resource: string): Promise<void> {
  const metadata = { name: `${name}-${verb}-${resource.replace('/', '-')}` };
  await admin
    .resource(clusterRoles)
    .create({ metadata, rules: [{ apiGroups: [''], verbs: [verb], resources: [resource] }] });
  await admin.resource(clusterRoleBindings).create({
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', namespace: 'default', name }],
  });
}

async function obtain(approver: KubeClient | undefined, whileWaiting: () => Promise<void>): Promise<KeyPair> {
  const issued = Promise.withResolvers<KeyPair>();
  const enough = new AbortController();
  const requests = kubeSigningRequests({ nodeName, nodeClient: node, ...(approver && { approver }) });
  const addresses = ['10.0.0.1', nodeName];
  const logger = recordingLogger();
  const source = new CsrCertificateSource({ nodeName, addresses, requests, logger, clock: systemClock });
  const running = source.run(issued.resolve, enough.signal);
  await whileWaiting();
  const pair = await issued.promise;
  enough.abort();
  await running;
  expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  return pair;
}

describe('a client of the kubelet API', () => {
  test('with the token of a service account may what RBAC says, and no more', async () => {
    const token = await tokenOf('monitoring');
    await allow('monitoring', 'get', 'nodes/pods');
    await allow('monitoring', 'get', 'nodes/proxy');
    const kubelet = await start();
    expect(await kubelet.request('/pods', { token })).toMatchObject({ status: 200 });
    expect(await kubelet.request('/healthz', { token })).toMatchObject({ status: 200 });
    expect(await kubelet.request('/stats/summary', { token })).toMatchObject({ status: 403 });
    // To read everything through the proxy is no right to run commands.
    const exec = await kubelet.request('/exec/default/web/main?command=id&output=1', { token });
    expect(exec).toMatchObject({ status: 403, body: expect.stringContaining('verb=create') });
    expect(await kubelet.request('/pods', { token: `${token}x` })).toMatchObject({ status: 401 });
    expect(await kubelet.request('/pods')).toMatchObject({ status: 401 });
  });

  test('with a certificate of the cluster is its user and its groups', async () => {
    const kubelet = await start();
    const masters = await cluster.issue({
      commonName: 'somebody',
      organizations: ['system:masters'],
      usages: ['client'],
    });
    expect(await kubelet.request('/runningpods/', { client: masters })).toMatchObject({ status: 200 });
    const nobody = await cluster.issue({ commonName: 'nobody', usages: ['client'] });
    expect(await kubelet.request('/runningpods/', { client: nobody })).toMatchObject({ status: 403 });
  });
});

describe('the authority of client certificates', () => {
  test('is the one that the API server publishes', async () => {
    const found: string[] = [];
    const enough = new AbortController();
    const use = (ca: string): void => {
      found.push(ca.trim());
      enough.abort();
    };
    await followClientCa({ client: admin, logger: recordingLogger(), clock: systemClock }, use, enough.signal);
    expect(found).toEqual([clientCa.trim()]);
  });
});

describe('the serving certificate', () => {
  test('is signed by the cluster for the node when Spillway may approve it', async () => {
    const certificate = checkKeyPair(await obtain(admin, () => Promise.resolve()));
    expect(certificate.subject).toBe(`O=system:nodes\nCN=system:node:${nodeName}`);
    expect(certificate.subjectAltName?.split(', ').toSorted()).toEqual([`DNS:${nodeName}`, 'IP Address:10.0.0.1']);
  });

  test('is there as soon as somebody else has approved it', async () => {
    const pair = await obtain(undefined, async () => {
      let name = '';
      while (name === '') {
        const { items } = await admin.resource(certificateSigningRequests).list();
        name = nameOf(items.find(({ status }) => !status?.conditions) ?? {});
      }
      expect(await cluster.kubectl(['certificate', 'approve', name])).toMatchObject({ code: 0 });
    });
    expect(checkKeyPair(pair).subject).toContain(`CN=system:node:${nodeName}`);
  });
});

describe('while the API server is away', () => {
  test('nobody new gets in', async () => {
    const kubelet = await start();
    const token = await tokenOf('late');
    const client = await cluster.issue({ commonName: 'late', organizations: ['system:masters'], usages: ['client'] });
    await cluster.component('kube-apiserver').stop();
    expect(await kubelet.request('/pods', { token })).toMatchObject({ status: 503 });
    expect(await kubelet.request('/pods', { client })).toMatchObject({ status: 503 });
  });
});
