import type { Secret } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { copiesOf, namesUsedBy, stepFor } from './copies.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };

function copyOf(name: string, source: Secret, whose = owner): Secret {
  const objects = { configMaps: new Map(), secrets: new Map([[name, source]]) };
  const [copy = {}] = copiesOf({ configMaps: [], secrets: [name] }, objects, {
    owner: whose,
    from: 'shop',
    to: 'burst',
  }).secrets;
  return copy;
}

const secret = (version: string, password: string): Secret => ({
  metadata: { resourceVersion: version },
  data: { password },
});

describe('a copy', () => {
  const present = copyOf('login', secret('9', 'b'));

  test.for<[ReturnType<typeof stepFor>, string, Secret | undefined, Secret]>([
    ['create', 'when there is none', undefined, present],
    ['keep', 'when nothing changed', present, copyOf('login', secret('10', 'b'))],
    ['replace', 'when the source has changed', present, copyOf('login', secret('10', 'c'))],
    ['keep', 'when it came from a newer state of the source', present, copyOf('login', secret('8', 'a'))],
    ['foreign', 'when it is another’s', { metadata: { name: 'x' } }, present],
    [
      'foreign',
      'when it is of another cluster',
      copyOf('login', secret('9', 'b'), { ...owner, clusterId: 'c' }),
      present,
    ],
    ['foreign', 'when it is of another source', copyOf('other', secret('9', 'b')), present],
  ])('%s %s', ([step, , found, wanted]) => {
    expect(stepFor(wanted, found, owner)).toBe(step);
  });

  test('of a service account’s Secret is plain data', () => {
    expect(copyOf('t', { type: 'kubernetes.io/service-account-token', data: { token: 'x' } }).type).toBe('Opaque');
    expect(copyOf('t', { type: 'kubernetes.io/tls', data: {} }).type).toBe('kubernetes.io/tls');
  });
});

test('a pod uses what its variables, volumes and pulls refer to', () => {
  const { configMaps, secrets } = namesUsedBy({
    spec: {
      imagePullSecrets: [{ name: 'pull' }],
      initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'a' } }, { secretRef: { name: 'b' } }] }],
      containers: [
        {
          name: 'c',
          env: [
            { name: 'X', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
            { name: 'Y', valueFrom: { secretKeyRef: { name: 'd', key: 'k' } } },
          ],
        },
      ],
      volumes: [
        { name: '1', configMap: { name: 'e' } },
        { name: '2', secret: { secretName: 'f' } },
        { name: '3', projected: { sources: [{ configMap: { name: 'g' } }, { secret: { name: 'h' } }] } },
      ],
    },
  });
  expect([...configMaps].toSorted()).toEqual(['a', 'c', 'e', 'g']);
  expect([...secrets].toSorted()).toEqual(['b', 'd', 'f', 'h', 'pull']);
});
