import { describe, expect, it } from 'vitest';
import type { ResolvedVolume, VolumeFile } from '../../podspec/volumes.ts';
import { changedVolumes, digestsOf } from './volume-content.ts';

const file = (path: string, text: string, mode = 0o644): VolumeFile => ({ path, mode, content: Buffer.from(text) });
const volumes = (...files: readonly VolumeFile[]): ReadonlyMap<string, ResolvedVolume> =>
  new Map<string, ResolvedVolume>([
    ['settings', { kind: 'files', files }],
    ['scratch', { kind: 'emptyDir', medium: '' }],
  ]);
const applied = digestsOf(volumes(file('a', '1'), file('b', '2')));

describe('volumes', () => {
  it('that hold the same are not changed, in whatever order their files are', () => {
    expect(changedVolumes(volumes(file('b', '2'), file('a', '1')), applied).size).toBe(0);
  });

  it.each([
    ['another content', [file('a', '1'), file('b', '3')]],
    ['another mode', [file('a', '1'), file('b', '2', 0o600)]],
    ['another owner', [file('a', '1'), { ...file('b', '2'), uid: 1000 }]],
    ['another name', [file('a', '1'), file('c', '2')]],
    ['a file less', [file('a', '1')]],
    ['content that moved from one file to the next', [file('a', '1b'), file('', '2')]],
  ])('with %s are changed, with all their files', (_, files) => {
    expect([...changedVolumes(volumes(...files), applied)]).toEqual([['settings', files]]);
  });

  it('of which nothing is known are all changed, but never those without files from the cluster', () => {
    expect([...changedVolumes(volumes(file('a', '1')), undefined).keys()]).toEqual(['settings']);
  });
});
