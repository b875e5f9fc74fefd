import { describe, expect, it } from 'vitest';
import type { VolumeFile } from '../../podspec/volumes.ts';
import type { Workload } from '../backend.ts';
import { changeWorkload } from './change-workload.ts';

const file = (text: string): VolumeFile => ({ path: 'key', mode: 0o644, content: Buffer.from(text) });
const workload: Workload = {
  ref: { uid: 'u', namespace: 'default', name: 'web-0' },
  pod: {},
  revision: 'r1',
  environment: new Map(),
  volumes: new Map<string, Workload['volumes'] extends ReadonlyMap<string, infer V> ? V : never>([
    ['settings', { kind: 'files', files: [file('old')] }],
    ['login', { kind: 'files', files: [file('kept')] }],
    ['scratch', { kind: 'emptyDir', medium: '' }],
  ]),
  objects: { configMaps: new Map(), secrets: new Map() },
  claims: new Map(),
  registryCredentials: [],
  hostIPs: [],
};

describe('a change of a workload', () => {
  it('replaces the files of those that it names, and leaves everything else', () => {
    const changed = changeWorkload(workload, {
      volumes: new Map([['settings', [file('new')]]]),
      objects: workload.objects,
    });
    expect(changed.volumes.get('settings')).toEqual({ kind: 'files', files: [file('new')] });
    expect(changed.volumes.get('login')).toBe(workload.volumes.get('login'));
    expect(workload.volumes.get('settings')).toEqual({ kind: 'files', files: [file('old')] });
  });

  it('replaces the logins for registries when a pull Secret has changed, and leaves them otherwise', () => {
    const auths = { 'registry.example': { username: 'me', password: 'new' } };
    const secret = { data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') } };
    const objects = { configMaps: new Map(), secrets: new Map([['login', secret]]) };
    const before = { ...workload, registryCredentials: [{ registry: 'r', username: 'u', password: 'old' }] };
    const change = { volumes: new Map(), objects };
    expect(changeWorkload(before, change).registryCredentials).toEqual(before.registryCredentials);
    expect(changeWorkload(before, { ...change, pullSecrets: ['gone', 'login'] }).registryCredentials).toEqual([
      { registry: 'registry.example', username: 'me', password: 'new' },
    ]);
  });

  it('makes no volume, and no files where there are none from the cluster', () => {
    const volumes = new Map([
      ['scratch', [file('x')]],
      ['other', [file('x')]],
    ]);
    expect(changeWorkload(workload, { volumes, objects: workload.objects })).toEqual(workload);
  });
});
