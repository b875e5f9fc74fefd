// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs its effect before it is loaded
import 'reflect-metadata';
import { isIP } from 'node:net';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface NodeIdentity {
  readonly nodeName: string;
  /** IP addresses and DNS names under which the API server reaches the node; at least one. */
  readonly addresses: readonly string[];
}

/** PEM texts; the key is PKCS #8 and stays here. */
export interface RequestWithKey {
  readonly request: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A request as the signer `kubernetes.io/kubelet-serving` wants it, with a new EC P-256 key. */
export async function createCertificateRequest({ nodeName, addresses }: NodeIdentity): Promise<RequestWithKey> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const names = addresses.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }));
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: [`system:node:${nodeName}`] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension(names)],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { request: request.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
}
