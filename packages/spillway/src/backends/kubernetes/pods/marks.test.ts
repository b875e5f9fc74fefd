import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { copyMarks, copySelector, ownerOf, podMarks, podSelector, markedRef, sourceOf } from './marks.ts';

const text = fc.string({ minLength: 1 });
const owner = fc.record({ clusterId: text, nodeName: text });
const ref = fc.record({ uid: text, namespace: text, name: text });

describe('marks', () => {
  test.prop([owner, ref])('say whose pod it is, whatever the names', (whose, pod) => {
    const { labels, annotations } = podMarks(whose, pod);
    expect(markedRef({ metadata: { labels: { ...labels }, annotations: { ...annotations } } }, whose)).toEqual(pod);
    for (const value of Object.values(labels)) expect(value).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
  });

  test.prop([owner, owner, ref])('of another owner are not ours', (whose, other, pod) => {
    fc.pre(whose.clusterId !== other.clusterId || whose.nodeName !== other.nodeName);
    const { labels, annotations } = podMarks(whose, pod);
    expect(markedRef({ metadata: { labels: { ...labels }, annotations: { ...annotations } } }, other)).toBeUndefined();
  });

  test.prop([owner, text, text])('say what a copy is a copy of', (whose, namespace, name) => {
    const source = { namespace, name, version: '7' };
    const { labels, annotations } = copyMarks(whose, source);
    const metadata = { labels: { ...labels }, annotations: { ...annotations } };
    expect(sourceOf({ metadata }, whose)).toEqual(source);
    expect(markedRef({ metadata }, whose)).toBeUndefined();
  });

  test('select what is ours', () => {
    const whose = { clusterId: 'c', nodeName: 'n' };
    expect(podSelector(whose, 'u')).toBe('spillway.dev/cluster=c,spillway.dev/node=n,spillway.dev/pod-uid=u');
    expect(podSelector(whose)).toBe('spillway.dev/cluster=c,spillway.dev/node=n,spillway.dev/pod-uid');
    expect(copySelector(whose)).toBe('spillway.dev/cluster=c,spillway.dev/node=n,spillway.dev/copy');
  });

  test('name the owner for people', () => {
    const { annotations } = podMarks({ clusterId: 'c', nodeName: 'n' }, { uid: 'u', namespace: 'a', name: 'b' });
    expect(ownerOf({ metadata: { annotations: { ...annotations } } })).toBe('virtual node n of cluster c');
    expect(ownerOf({ metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } } })).toBe('somebody else (Helm)');
  });
});
