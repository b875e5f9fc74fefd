import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { copyName, ownName, podName } from './names.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?){0,3}$/);
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const owner = { clusterId: 'c', nodeName: 'n' };

const source = fc.record({ namespace: label, name });
const ref = fc.record({ namespace: label, name, uid: fc.uuid() });

describe('names', () => {
  test.prop([ref])('of pods, copies and a pod’s own objects are valid', (each) => {
    const names = [podName(each), ownName(each), copyName(owner, each.namespace, each.name)];
    for (const made of names) {
      expect(made).toMatch(subdomain);
      expect(made.length).toBeLessThanOrEqual(253);
    }
  });

  test.prop([source, source])('of copies never collide', (a, b) => {
    const same = a.namespace === b.namespace && a.name === b.name;
    expect(copyName(owner, a.namespace, a.name) === copyName(owner, b.namespace, b.name)).toBe(same);
    expect(copyName(owner, a.namespace, a.name)).not.toBe('imagepull-secret');
  });

  test.prop([label, label, label])('of copies differ where namespace and name run into each other', (a, b, c) => {
    expect(copyName(owner, `${a}-${b}`, c)).not.toBe(copyName(owner, a, `${b}-${c}`));
  });

  test.prop([ref, fc.uuid()])('of pods are the same for the same UID, and others for another', (each, uid) => {
    fc.pre(uid !== each.uid);
    expect(podName(each)).toBe(podName({ ...each }));
    expect(podName(each)).not.toBe(podName({ ...each, uid }));
  });

  test.prop([ref, fc.stringMatching(/^[a-z0-9]{63}$/)])(
    'of pods leave room for the folder of their logs',
    (each, there) => {
      expect(`${there}_${podName(each)}_${each.uid}`.length).toBeLessThanOrEqual(255);
    },
  );

  test('of pods begin with what people look for', () => {
    expect(podName({ namespace: 'shop', name: 'web-0', uid: '1' })).toBe('shop-web-0-6b86b273ff');
  });
});
