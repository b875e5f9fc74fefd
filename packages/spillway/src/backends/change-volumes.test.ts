import { describe, expect, it } from 'vitest';
import type { VolumeFile } from '../podspec/volumes.ts';
import type { Workload } from './backend.ts';
import { changeVolumes } from './change-volumes.ts';

const file = (text: string): VolumeFile => ({ path: 'key', mode: 0o644, content: Buffer.from(text) });
const workload: Workload = {
  ref: { uid: 'u', namespace: 'default', name: 'web-0' },
  pod: {},
  environment: new Map(),
  volumes: new Map<string, Workload['volumes'] extends ReadonlyMap<string, infer V> ? V : never>([
    ['settings', { kind: 'files', files: [file('old')] }],
    ['login', { kind: 'files', files: [file('kept')] }],
    ['scratch', { kind: 'emptyDir', medium: '' }],
  ]),
  objects: { configMaps: new Map(), secrets: new Map() },
  registryCredentials: [],
  hostIPs: [],
};

describe('a change of volumes', () => {
  it('replaces the files of those that it names, and leaves everything else', () => {
    const changed = changeVolumes(workload, {
      volumes: new Map([['settings', [file('new')]]]),
      objects: workload.objects,
    });
    expect(changed.volumes.get('settings')).toEqual({ kind: 'files', files: [file('new')] });
    expect(changed.volumes.get('login')).toBe(workload.volumes.get('login'));
    expect(workload.volumes.get('settings')).toEqual({ kind: 'files', files: [file('old')] });
  });

  it('makes no volume, and no files where there are none from the cluster', () => {
    const volumes = new Map([
      ['scratch', [file('x')]],
      ['other', [file('x')]],
    ]);
    expect(changeVolumes(workload, { volumes, objects: workload.objects })).toEqual(workload);
  });
});
