// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs its effect before it is loaded
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { KeyPair } from '../certificate/key-pair.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const hourMs = 3_600_000;

export interface Issue {
  readonly name?: x509.JsonName;
  readonly usage?: 'client' | 'server';
  readonly address?: string;
  /** From now; default one hour. */
  readonly lifeMs?: number;
  /** Issues for the key of this request instead of a new one. */
  readonly request?: string;
}

/** Signs certificates for tests. */
export class TestAuthority {
  readonly cert: string;
  readonly #name: string;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(cert: string, name: string, keys: webcrypto.CryptoKeyPair) {
    this.cert = cert;
    this.#name = name;
    this.#keys = keys;
  }

  static async create(name: string): Promise<TestAuthority> {
    x509.cryptoProvider.set(webcrypto);
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      ...validity(24 * hourMs),
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    return new TestAuthority(certificate.toString('pem'), `CN=${name}`, keys);
  }

  async issue({ name = [], usage = 'client', address, lifeMs = hourMs, request }: Issue): Promise<KeyPair> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const usages = { client: x509.ExtendedKeyUsage.clientAuth, server: x509.ExtendedKeyUsage.serverAuth };
    const requested = request === undefined ? undefined : new x509.Pkcs10CertificateRequest(request);
    const certificate = await x509.X509CertificateGenerator.create({
      subject: requested?.subject ?? new x509.Name(name).toString(),
      issuer: this.#name,
      ...validity(lifeMs),
      publicKey: requested?.publicKey ?? keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.ExtendedKeyUsageExtension([usages[usage]]),
        ...(address === undefined ? [] : [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: address }])]),
      ],
    });
    const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
  }
}

export interface RequestContent {
  readonly subject: string;
  readonly names: readonly string[];
  readonly signatureFits: boolean;
}

/** What a certificate request asks for. */
export async function readRequest(pem: string): Promise<RequestContent> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  const alternatives = request.extensions.find(
    (extension) => extension instanceof x509.SubjectAlternativeNameExtension,
  );
  return {
    subject: request.subject,
    names: alternatives?.names.items.map(({ type, value }) => `${type} ${value}`) ?? [],
    signatureFits: await request.verify(),
  };
}

function validity(lifeMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - hourMs), notAfter: new Date(Date.now() + lifeMs) };
}
