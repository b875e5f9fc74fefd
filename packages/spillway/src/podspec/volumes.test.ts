import type { Pod, Volume } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { noClaims } from './testing/claims.ts';
import type { WorkloadSources } from './workload-sources.ts';
import { resolveVolume, type VolumeResolution } from './volumes.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const sources: WorkloadSources = {
  configMap: (name) =>
    name === 'settings' ? { data: { a: '1', b: '2' }, binaryData: { raw: base64('\0') } } : undefined,
  secret: (name) => (name === 'login' ? { data: { password: base64('sesame') } } : undefined),
  claims: noClaims,
  token: ({ audience, expirationSeconds }) => (audience === 'none' ? undefined : `${audience}/${expirationSeconds}`),
  services: [],
};

function resolve(volume: Omit<Volume, 'name'>, spec: Partial<NonNullable<Pod['spec']>> = {}): VolumeResolution {
  const pod: Pod = {
    metadata: { name: 'web-0', labels: { app: 'web' } },
    spec: { containers: [{ name: 'main' }], ...spec },
  };
  return resolveVolume(pod, { name: 'v', ...volume }, sources, { allocatable: { cpu: '4' } });
}

/** `path mode content` of each file, or what is lacking. */
function filesOf(resolution: VolumeResolution): string[] {
  if (!resolution?.ok) return (resolution?.lacking ?? []).map(({ message }) => message);
  if (resolution.volume.kind !== 'files') throw new Error('not a volume of files');
  return resolution.volume.files.map(
    ({ path, mode, content }) => `${path} ${mode.toString(8)} ${Buffer.from(content).toString()}`,
  );
}

describe('a volume', () => {
  test('of a ConfigMap has all keys, text and binary', () => {
    expect(filesOf(resolve({ configMap: { name: 'settings' } }))).toEqual(['a 644 1', 'b 644 2', 'raw 644 \0']);
  });

  test('of a Secret has the items that were asked for, with their paths and modes', () => {
    const items = [
      { key: 'password', path: 'deep//./er/p', mode: 0o400 },
      { key: 'password', path: 'q' },
    ];
    expect(filesOf(resolve({ secret: { secretName: 'login', defaultMode: 0o440, items } }))).toEqual([
      'deep/er/p 400 sesame',
      'q 440 sesame',
    ]);
  });

  test('of the downward API tells of the pod', () => {
    const items = [
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
      { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' }, mode: 0o600 },
    ];
    expect(filesOf(resolve({ downwardAPI: { items } }))).toEqual(['labels 644 app="web"', 'cpu 600 4']);
  });

  test('that is projected has the files of all its sources; a later one wins', () => {
    const all = [
      { configMap: { name: 'settings', items: [{ key: 'a', path: 'x' }] } },
      { secret: { name: 'login', items: [{ key: 'password', path: 'x' }] } },
      { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } },
      { serviceAccountToken: { path: 'plain' } },
    ];
    expect(filesOf(resolve({ projected: { sources: all, defaultMode: 0o444 } }))).toEqual([
      'x 444 sesame',
      'name 444 web-0',
      'token 444 vault/600',
      'plain 444 /3600',
    ]);
  });

  test('keeps a token to the pod’s user or group', () => {
    const projected = { sources: [{ serviceAccountToken: { path: 'token' } }] };
    expect(filesOf(resolve({ projected }, { securityContext: { fsGroup: 7 } }))).toEqual(['token 600 /3600']);
    const oneUser = resolve({ projected }, { securityContext: { runAsUser: 1000 } });
    expect(oneUser).toMatchObject({ volume: { files: [{ mode: 0o600, uid: 1000 }] } });
    const two = {
      containers: [{ name: 'main' }, { name: 'b', securityContext: { runAsUser: 5 } }],
      securityContext: { runAsUser: 1 },
    };
    expect(filesOf(resolve({ projected }, two))).toEqual(['token 644 /3600']);
  });

  test('lacks what is mandatory and absent, in the kubelet’s words', () => {
    expect(filesOf(resolve({ configMap: { name: 'none' } }))).toEqual(['configmap "none" not found']);
    expect(filesOf(resolve({ secret: { secretName: 'none' } }))).toEqual(['secret "none" not found']);
    const items = [{ key: 'none', path: 'x' }];
    expect(filesOf(resolve({ configMap: { name: 'settings', items } }))).toEqual([
      'configmap references non-existent config key: none',
    ]);
    expect(filesOf(resolve({ secret: { secretName: 'login', items } }))).toEqual([
      'references non-existent secret key: none',
    ]);
    const token = { serviceAccountToken: { path: 't', audience: 'none' } };
    expect(filesOf(resolve({ projected: { sources: [token] } }))).toEqual([
      'failed to fetch token: no token for service account "default"',
    ]);
    const bundle = { clusterTrustBundle: { path: 'ca' } };
    expect(filesOf(resolve({ projected: { sources: [bundle] } }))).toEqual([
      'projected source clusterTrustBundle is not supported',
    ]);
  });

  test('of what is optional and absent is empty', () => {
    expect(filesOf(resolve({ configMap: { name: 'none', optional: true } }))).toEqual([]);
    const items = [{ key: 'none', path: 'x' }];
    expect(filesOf(resolve({ secret: { secretName: 'login', items, optional: true } }))).toEqual([]);
  });

  test('never gets a file outside itself', () => {
    const items = [{ key: 'a', path: '../../etc/passwd' }];
    expect(filesOf(resolve({ configMap: { name: 'settings', items } }))).toEqual([
      "invalid path: must not contain '..': ../../etc/passwd",
    ]);
  });

  test('that is empty may be of memory and limited', () => {
    expect(resolve({ emptyDir: {} })).toEqual({ ok: true, volume: { kind: 'emptyDir', medium: '' } });
    expect(resolve({ emptyDir: { medium: 'Memory', sizeLimit: '1Ki' } })).toEqual({
      ok: true,
      volume: { kind: 'emptyDir', medium: 'Memory', sizeLimitBytes: 1024n },
    });
  });

  test('of a kind that does not come from the cluster is left to the backend', () => {
    expect(resolve({ hostPath: { path: '/' } })).toBeUndefined();
  });
});
