import type { Service } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { backendNotices } from './backend-notices.ts';
import { testPod } from '../testing/objects.ts';

const elsewhere = { volumeUpdates: false, clusterServices: false };
const noService = (): undefined => undefined;
const pod = testPod({
  spec: {
    containers: [],
    volumes: [
      { name: 'scratch', emptyDir: {} },
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'login', secret: { secretName: 'login' } },
      { name: 'both', projected: { sources: [{ secret: { name: 'login' } }] } },
      { name: 'identity', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      { name: 'kube-api-access-x7x2p', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } },
    ],
  },
});

describe('before it is created, a pod is told', () => {
  it('that its volumes keep what they have, where they do not follow', () => {
    expect(backendNotices(pod, undefined, elsewhere, noService)).toMatchObject([
      {
        severity: 'Normal',
        reason: 'VolumesStay',
        message:
          'The volumes settings, login, both do not follow changes of their ConfigMaps and Secrets. To apply a change, create the pod again',
      },
    ]);
  });

  it('nothing where they follow, or when nobody edits what they hold', () => {
    expect(backendNotices(pod, undefined, { volumeUpdates: true, clusterServices: false }, noService)).toEqual([]);
    expect(backendNotices(testPod(), undefined, elsewhere, noService)).toEqual([]);
  });

  it('that its DNS is a Service which it does not reach', () => {
    const service: Service = { metadata: { namespace: 'kube-system', name: 'kube-dns' } };
    const dns = { servers: ['10.96.0.10', '192.168.0.7'], searches: [], options: [] };
    const serviceAt = (address: string): Service | undefined => (address === '10.96.0.10' ? service : undefined);
    expect(backendNotices(testPod(), dns, elsewhere, serviceAt)).toMatchObject([
      {
        severity: 'Warning',
        reason: 'DNSUnreachable',
        message: expect.stringContaining(
          'DNS of the pod is at 10.96.0.10 (Service kube-system/kube-dns), but the pod cannot reach',
        ),
      },
    ]);
    expect(backendNotices(testPod(), dns, { volumeUpdates: false }, serviceAt)).toEqual([]);
  });
});
