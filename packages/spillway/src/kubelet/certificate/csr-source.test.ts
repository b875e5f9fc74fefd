import { X509Certificate } from 'node:crypto';
import type { CertificateSigningRequest } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { recordingLogger } from '../testing/fakes.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { readRequest, TestAuthority } from '../testing/authority.ts';
import { createCertificateRequest } from './certificate-request.ts';
import { CsrCertificateSource } from './csr-source.ts';
import { checkKeyPair, type KeyPair, renewalTime } from './key-pair.ts';
import type { SigningRequests } from './signing-requests.ts';
import { signingState } from './signing-state.ts';

type Condition = NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>[number];

function condition(type: string, more: Partial<Condition> = {}): Condition {
  return { type, status: 'True', ...more };
}

/** A cluster in which whoever plays the part approves and signs. */
class FakeCluster implements SigningRequests {
  readonly submitted: { pem: string; csr: CertificateSigningRequest }[] = [];
  readonly failures: Error[] = [];

  submit(pem: string): Promise<CertificateSigningRequest> {
    const failure = this.failures.shift();
    if (failure !== undefined) return Promise.reject(failure);
    const csr = { metadata: { name: `csr-${this.submitted.length}` }, spec: { request: '', signerName: '' } };
    this.submitted.push({ pem, csr });
    return Promise.resolve(csr);
  }

  get(name: string): Promise<CertificateSigningRequest> {
    const found = this.submitted.find(({ csr }) => csr.metadata?.name === name);
    return found === undefined ? Promise.reject(new Error(`${name} not found`)) : Promise.resolve(found.csr);
  }

  set(index: number, status: CertificateSigningRequest['status']): void {
    const entry = this.submitted[index];
    if (entry === undefined || status === undefined) throw new Error('nothing was submitted');
    entry.csr.status = status;
  }
}

async function start(cluster: FakeCluster): Promise<{
  authority: TestAuthority;
  used: KeyPair[];
  logger: ReturnType<typeof recordingLogger>;
  clock: ManualClock;
  sign: (index: number, lifeMs?: number) => Promise<void>;
  stop: () => Promise<void>;
}> {
  const authority = await TestAuthority.create('signer');
  const [used, logger, clock, ending] = [
    [] as KeyPair[],
    recordingLogger(),
    new ManualClock(Date.now()),
    new AbortController(),
  ];
  const source = new CsrCertificateSource({
    nodeName: 'burst',
    addresses: ['10.0.0.1'],
    requests: cluster,
    logger,
    clock,
  });
  const ended = source.run((pair) => used.push(pair), ending.signal);
  const sign = async (index: number, lifeMs = 3_600_000): Promise<void> => {
    const { cert } = await authority.issue({ request: cluster.submitted[index]?.pem ?? '', usage: 'server', lifeMs });
    cluster.set(index, { conditions: [condition('Approved')], certificate: Buffer.from(cert).toString('base64') });
  };
  const stop = async (): Promise<void> => {
    ending.abort();
    await ended;
  };
  return { authority, used, logger, clock, sign, stop };
}

describe('a certificate request', () => {
  test('is what the signer of kubelets’ certificates wants', async () => {
    const { request, key } = await createCertificateRequest({
      nodeName: 'burst',
      addresses: ['10.0.0.1', 'fd00::1', 'burst.example.org'],
    });
    expect(await readRequest(request)).toEqual({
      subject: 'O=system:nodes, CN=system:node:burst',
      names: ['ip 10.0.0.1', 'ip fd00::1', 'dns burst.example.org'],
      signatureFits: true,
    });
    expect(key).toContain('-----BEGIN PRIVATE KEY-----');
  });
});

describe('a certificate that the cluster signs', () => {
  test('is used with its own key, and renewed when four fifths of its life are over', async () => {
    const cluster = new FakeCluster();
    const { used, clock, sign, stop } = await start(cluster);
    await clock.pass();
    await sign(0);
    await clock.pass();
    const slept = await clock.pass();
    expect(used).toHaveLength(1);
    const [pair = { cert: '', key: '' }] = used;
    expect(checkKeyPair(pair).subject).toContain('CN=system:node:burst');
    // One hour to come and one behind, by the authority of the tests.
    expect(slept).toBeGreaterThan(0.55 * 3_600_000);
    expect(slept).toBeLessThan(0.65 * 3_600_000);
    await clock.pass();
    await sign(1);
    await clock.pass();
    await clock.pass();
    expect(used).toHaveLength(2);
    expect(used[1]?.key).not.toBe(pair.key);
    await stop();
  });

  test('is approved by Spillway itself when it may', async () => {
    const cluster = new FakeCluster();
    const approved: (string | undefined)[] = [];
    const approving = Object.assign(cluster, {
      approve: (csr: CertificateSigningRequest): Promise<void> => {
        approved.push(csr.metadata?.name);
        return Promise.resolve();
      },
    });
    const { clock, stop } = await start(approving);
    await clock.pass();
    expect(approved).toEqual(['csr-0']);
    await stop();
  });

  test('that nobody approves is waited for, with a line that says what to do', async () => {
    const cluster = new FakeCluster();
    const { used, logger, clock, sign, stop } = await start(cluster);
    for (let waited = 0; waited < 60_000; ) waited += await clock.pass();
    const warnings = logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toEqual([
      'waiting for somebody to approve the serving certificate: kubectl certificate approve csr-0; until then logs and exec do not work',
    ]);
    await sign(0);
    await clock.pass();
    await clock.pass();
    expect(used).toHaveLength(1);
    await stop();
  });

  test('that is approved and not signed names the signer', async () => {
    const cluster = new FakeCluster();
    const { logger, clock, stop } = await start(cluster);
    await clock.pass();
    cluster.set(0, { conditions: [condition('Approved')] });
    for (let waited = 0; waited < 60_000; ) waited += await clock.pass();
    expect(logger.lines.at(-1)?.message).toContain('does kube-controller-manager run its signers?');
    await stop();
  });

  test('that was denied is asked for again later', async () => {
    const cluster = new FakeCluster();
    const { logger, clock, stop } = await start(cluster);
    await clock.pass();
    cluster.set(0, { conditions: [condition('Denied', { reason: 'Policy', message: 'not today' })] });
    await clock.pass();
    await clock.pass();
    await clock.pass();
    expect(cluster.submitted).toHaveLength(2);
    const [error] = logger.lines.filter(({ level }) => level === 'error');
    expect(String(Object(error?.fields).err)).toContain('csr-0 was refused: Denied (Policy: not today)');
    await stop();
  });

  test('is asked for with growing patience while the API server does not answer', async () => {
    const cluster = new FakeCluster();
    for (let i = 0; i < 9; i++) cluster.failures.push(new Error('connection refused'));
    const { clock, stop } = await start(cluster);
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) pauses.push(await clock.pass());
    expect(pauses).toEqual([5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000]);
    await stop();
  });
});

describe('the state of a request', () => {
  test.each([
    [{}, { kind: 'pending' }],
    [{ conditions: [condition('Approved')] }, { kind: 'approved' }],
    [
      { conditions: [condition('Approved')], certificate: 'UEVN' },
      { kind: 'issued', cert: 'PEM' },
    ],
    [{ conditions: [condition('Approved'), condition('Failed')] }, { kind: 'refused', why: 'Failed' }],
    [{ conditions: [condition('Denied', { message: 'no' })] }, { kind: 'refused', why: 'Denied (no)' }],
  ])('of %j is %j', (status, state) => {
    expect(signingState({ spec: { request: '', signerName: '' }, status })).toEqual(state);
  });
});

describe('a key pair', () => {
  test('whose key is another one is refused', async () => {
    const authority = await TestAuthority.create('pairs');
    const [one, other] = [await authority.issue({}), await authority.issue({})];
    expect(() => checkKeyPair({ cert: one.cert, key: other.key })).toThrow('does not belong');
    expect(checkKeyPair(one)).toBeInstanceOf(X509Certificate);
  });

  test('is renewed at four fifths of its life', () => {
    const times = { validFrom: '2026-01-01T00:00:00Z', validTo: '2026-01-11T00:00:00Z' };
    expect(renewalTime(times)).toBe(Date.parse('2026-01-09T00:00:00Z'));
  });
});
