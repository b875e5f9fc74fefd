import type { Service } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { unknownSupport } from '../../podspec/fit/support.ts';
import { type BackendFacts, backendNotices } from './backend-notices.ts';
import { testPod } from '../testing/objects.ts';

const elsewhere: BackendFacts = {
  capabilities: { volumeUpdates: false, clusterServices: false },
  support: unknownSupport,
};
const following = (clusterServices?: boolean): BackendFacts => ({
  capabilities: { volumeUpdates: true, ...(clusterServices !== undefined && { clusterServices }) },
  support: unknownSupport,
});
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
    expect(backendNotices(pod, undefined, following(false), noService)).toEqual([]);
    expect(backendNotices(testPod(), undefined, elsewhere, noService)).toEqual([]);
  });

  it('that the token does not come along, where the backend has none for it', () => {
    const facts = { ...following(), support: { ...unknownSupport, accessToken: false } };
    expect(backendNotices(pod, undefined, facts, noService)).toMatchObject([
      { severity: 'Warning', reason: 'NoAccessToken', message: expect.stringMatching(/^The pod does not get .*\.$/) },
    ]);
    // The service account does not want it to be mounted.
    expect(backendNotices(testPod(), undefined, facts, noService)).toEqual([]);
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
    expect(backendNotices(testPod(), dns, following(), serviceAt)).toEqual([]);
  });
});
