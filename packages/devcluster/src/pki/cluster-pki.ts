import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiServiceAddress } from '../network/addressing.ts';
import { Authority, createKeyPair, type CertificateRequest } from './authority.ts';
import { renderKubeconfig } from './kubeconfig.ts';

/** The user as which the API server calls kubelets; bound to `system:kubelet-api-admin`. */
export const kubeletClientUser = 'kube-apiserver-kubelet-client';
export const coreDnsUser = 'system:coredns';
export const frontProxyUser = 'front-proxy-client';

export type CertificateName =
  | 'api-server'
  | 'kubelet-client'
  | 'front-proxy'
  | 'components'
  | 'etcd'
  | 'etcd-client'
  | 'kubelet';
export type KubeconfigName =
  | 'admin'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'coredns';

export interface PkiInput {
  readonly name: string;
  readonly server: string;
  readonly nodeAddress: string;
  readonly nodeName: string | undefined;
}

/** The serving and client certificates of a cluster that are files of their own. */
export function certificateRequests(input: PkiInput): Partial<Record<CertificateName, CertificateRequest>> {
  const here = { dnsNames: ['localhost'], ipAddresses: [...new Set(['127.0.0.1', input.nodeAddress])] };
  const services = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  return {
    'api-server': {
      commonName: 'kube-apiserver',
      usages: ['server'],
      dnsNames: [...here.dnsNames, ...services],
      ipAddresses: [...here.ipAddresses, apiServiceAddress],
    },
    'kubelet-client': { commonName: kubeletClientUser, usages: ['client'] },
    components: { commonName: 'spillway-devcluster-component', usages: ['server'], ...here },
    ...(input.nodeName === undefined
      ? {}
      : {
          kubelet: {
            commonName: `system:node:${input.nodeName}`,
            organizations: ['system:nodes'],
            usages: ['server'] as const,
            dnsNames: [input.nodeName],
            ipAddresses: [input.nodeAddress],
          },
        }),
  };
}

/** Who each kubeconfig makes its user. */
export function kubeconfigIdentities(
  nodeName: string | undefined,
): Partial<Record<KubeconfigName, CertificateRequest>> {
  return {
    admin: { commonName: 'admin', organizations: ['system:masters'] },
    'kube-controller-manager': { commonName: 'system:kube-controller-manager' },
    'kube-scheduler': { commonName: 'system:kube-scheduler' },
    'kube-proxy': { commonName: 'system:kube-proxy' },
    coredns: { commonName: coreDnsUser },
    ...(nodeName === undefined
      ? {}
      : { kubelet: { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] } }),
  };
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
  const requests = Object.entries(certificateRequests(input)) as [CertificateName, CertificateRequest][];
  const identities = Object.entries(kubeconfigIdentities(input.nodeName)) as [KubeconfigName, CertificateRequest][];
  await Promise.all([
    ...requests.map(([name, request]) => issue(ca, name, request)),
    issue(frontProxyCa, 'front-proxy', { commonName: frontProxyUser, usages: ['client'] }),
    issue(etcdCa, 'etcd', { commonName: 'etcd', ipAddresses: [...new Set(['127.0.0.1', input.nodeAddress])] }),
    issue(etcdCa, 'etcd-client', { commonName: 'etcd-client', usages: ['client'] }),
    ...identities.map(async ([name, request]) => {
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
