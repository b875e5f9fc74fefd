import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { copyName, distinctPodName, ownName, podName } from './names.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?){0,3}$/);
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const owner = { clusterId: 'c', nodeName: 'n' };

const source = fc.record({ namespace: label, name });
const ref = fc.record({ namespace: label, name, uid: fc.uuid() });

describe('names', () => {
  test.prop([ref])('of pods, copies and a pod’s own objects are valid', (each) => {
    const names = [podName(each), distinctPodName(each), ownName(each), copyName(owner, each.namespace, each.name)];
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

  test.prop([ref, fc.uuid()])('that were taken differ by the UID of the pod', (each, uid) => {
    fc.pre(uid !== each.uid);
    expect(distinctPodName(each)).not.toBe(distinctPodName({ ...each, uid }));
  });

  test('of pods are those that people look for', () => {
    expect(podName({ namespace: 'shop', name: 'web-0', uid: '1' })).toBe('shop-web-0');
  });
});
