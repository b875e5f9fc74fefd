import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceAddresses } from '../network/addressing.ts';
import { Authority, createKeyPair, type CertificateRequest } from './authority.ts';
import { renderKubeconfig } from './kubeconfig.ts';

/** The user as which the API server calls kubelets; bound to `system:kubelet-api-admin`. */
export const kubeletClientUser = 'kube-apiserver-kubelet-client';
export const coreDnsUser = 'system:coredns';
export const metricsServerUser = 'system:metrics-server';
/** By which the API server knows it. */
export const metricsServerHost = 'metrics-server.kube-system.svc';
export const frontProxyUser = 'front-proxy-client';

export type CertificateName =
  | 'api-server'
  | 'kubelet-client'
  | 'front-proxy'
  | 'components'
  | 'etcd'
  | 'etcd-client'
  | 'kubelet'
  | 'metrics-server';
export type KubeconfigName =
  | 'admin'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'coredns'
  | 'metrics-server';

export interface PkiInput {
  readonly name: string;
  readonly server: string;
  readonly nodeAddress: string;
  readonly serviceCidr: string;
  readonly nodeName: string | undefined;
}

export interface Named<Name extends string> {
  readonly name: Name;
  readonly request: CertificateRequest;
}

/** The certificates of the cluster's own authority that are files of their own. */
export function certificateRequests(input: PkiInput): Named<CertificateName>[] {
  const here = { dnsNames: ['localhost'], ipAddresses: [...new Set(['127.0.0.1', input.nodeAddress])] };
  const service = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const apiServer: CertificateRequest = {
    commonName: 'kube-apiserver',
    usages: ['server'],
    dnsNames: [...here.dnsNames, ...service],
    ipAddresses: [...here.ipAddresses, serviceAddresses(input.serviceCidr).apiServer],
  };
  return [
    { name: 'api-server', request: apiServer },
    { name: 'kubelet-client', request: { commonName: kubeletClientUser, usages: ['client'] } },
    { name: 'components', request: { commonName: 'spillway-devcluster-component', usages: ['server'], ...here } },
    ...(input.nodeName === undefined
      ? []
      : ([
          { name: 'kubelet', request: kubeletServing(input.nodeName, input) },
          { name: 'metrics-server', request: metricsServerServing(input) },
        ] as const)),
  ];
}

function kubeletServing(nodeName: string, { nodeAddress }: PkiInput): CertificateRequest {
  return { ...nodeIdentity(nodeName), usages: ['server'], dnsNames: [nodeName], ipAddresses: [nodeAddress] };
}

function metricsServerServing({ nodeAddress }: PkiInput): CertificateRequest {
  return {
    commonName: metricsServerHost,
    usages: ['server'],
    dnsNames: [metricsServerHost],
    ipAddresses: [nodeAddress],
  };
}

function nodeIdentity(nodeName: string): CertificateRequest {
  return { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] };
}

/** Who each kubeconfig makes its user. */
export function kubeconfigIdentities(nodeName: string | undefined): Named<KubeconfigName>[] {
  return [
    { name: 'admin', request: { commonName: 'admin', organizations: ['system:masters'] } },
    { name: 'kube-controller-manager', request: { commonName: 'system:kube-controller-manager' } },
    { name: 'kube-scheduler', request: { commonName: 'system:kube-scheduler' } },
    { name: 'kube-proxy', request: { commonName: 'system:kube-proxy' } },
    { name: 'coredns', request: { commonName: coreDnsUser } },
    { name: 'metrics-server', request: { commonName: metricsServerUser } },
    ...(nodeName === undefined ? [] : [{ name: 'kubelet', request: nodeIdentity(nodeName) } as const]),
  ];
}

export interface PkiPaths {
  cert(name: CertificateName | 'ca' | 'front-proxy-ca' | 'etcd-ca'): string;
  key(name: CertificateName | 'ca'): string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  kubeconfig(name: KubeconfigName): string;
}

export function pkiPaths(clusterDir: string): PkiPaths {
  const dir = join(clusterDir, 'pki');
  return {
    cert: (name) => join(dir, `${name}.crt`),
    key: (name) => join(dir, `${name}.key`),
    serviceAccountKey: join(dir, 'service-account.key'),
    serviceAccountPublicKey: join(dir, 'service-account.pub'),
    kubeconfig: (name) => (name === 'admin' ? join(clusterDir, 'kubeconfig') : join(dir, `${name}.kubeconfig`)),
  };
}

/**
 * Makes and writes all keys, certificates and kubeconfigs of a cluster. There are three authorities: the cluster's own,
 * one for the aggregation layer (the API server refuses a shared one), and one that only etcd and its client know.
 */
export async function writeClusterPki(clusterDir: string, input: PkiInput): Promise<void> {
  const paths = pkiPaths(clusterDir);
  await mkdir(join(clusterDir, 'pki'), { recursive: true, mode: 0o700 });
  const [ca, frontProxyCa, etcdCa, serviceAccount] = await Promise.all([
    Authority.create('spillway-devcluster'),
    Authority.create('spillway-devcluster-front-proxy'),
    Authority.create('spillway-devcluster-etcd'),
    createKeyPair(),
  ]);
  await Promise.all([
    writeSecret(paths.cert('ca'), ca.certPem),
    writeSecret(paths.key('ca'), ca.keyPem),
    writeSecret(paths.cert('front-proxy-ca'), frontProxyCa.certPem),
    writeSecret(paths.cert('etcd-ca'), etcdCa.certPem),
    writeSecret(paths.serviceAccountKey, serviceAccount.privateKey),
    writeSecret(paths.serviceAccountPublicKey, serviceAccount.publicKey),
  ]);
  const issue = async (authority: Authority, name: CertificateName, request: CertificateRequest): Promise<void> => {
    const pair = await authority.issue(request);
    await Promise.all([writeSecret(paths.cert(name), pair.cert), writeSecret(paths.key(name), pair.key)]);
  };
  await Promise.all([
    ...certificateRequests(input).map(({ name, request }) => issue(ca, name, request)),
    issue(frontProxyCa, 'front-proxy', { commonName: frontProxyUser, usages: ['client'] }),
    issue(etcdCa, 'etcd', { commonName: 'etcd', ipAddresses: [...new Set(['127.0.0.1', input.nodeAddress])] }),
    issue(etcdCa, 'etcd-client', { commonName: 'etcd-client', usages: ['client'] }),
    ...kubeconfigIdentities(input.nodeName).map(async ({ name, request }) => {
      const credentials = await ca.issue({ ...request, usages: ['client'] });
      const context = name === 'admin' ? input.name : name;
      const text = renderKubeconfig({ name: context, server: input.server, ca: ca.certPem, credentials });
      await writeSecret(paths.kubeconfig(name), text);
    }),
  ]);
}

function writeSecret(path: string, text: string): Promise<void> {
  return writeFile(path, text, { mode: 0o600 });
}
