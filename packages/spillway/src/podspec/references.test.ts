import { expect, test } from 'vitest';
import { referencesOf } from './references.ts';

test('everything that a pod names is found once, and mandatory when one place needs it', () => {
  const pod = {
    spec: {
      initContainers: [
        {
          name: 'i',
          envFrom: [{ configMapRef: { name: 'cm-from', optional: true } }, { secretRef: { name: 's-from' } }],
        },
      ],
      containers: [
        {
          name: 'c',
          env: [
            { name: 'A', valueFrom: { configMapKeyRef: { name: 'cm-key', key: 'k', optional: true } } },
            { name: 'B', valueFrom: { secretKeyRef: { name: 's-key', key: 'k', optional: true } } },
            { name: 'C', valueFrom: { secretKeyRef: { name: 's-key', key: 'k' } } },
            { name: 'D', value: 'set', valueFrom: { secretKeyRef: { name: 'ignored', key: 'k' } } },
          ],
        },
      ],
      volumes: [
        { name: 'v1', configMap: { name: 'cm-volume' } },
        { name: 'v2', secret: { secretName: 's-volume', optional: true } },
        { name: 'v4', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'v5', persistentVolumeClaim: { claimName: 'data', readOnly: true } },
        {
          name: 'v3',
          projected: {
            sources: [
              { configMap: { name: 'cm-volume', optional: true } },
              { secret: { name: 's-projected' } },
              { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } },
              { serviceAccountToken: { path: 'plain' } },
            ],
          },
        },
      ],
      imagePullSecrets: [{ name: 's-pull' }, {}],
    },
  };
  expect(referencesOf(pod)).toEqual({
    configMaps: [
      { name: 'cm-from', optional: true },
      { name: 'cm-key', optional: true },
      { name: 'cm-volume', optional: false },
    ],
    secrets: [
      { name: 's-from', optional: false },
      { name: 's-key', optional: false },
      { name: 's-volume', optional: true },
      { name: 's-projected', optional: false },
      { name: 's-pull', optional: true },
    ],
    claims: ['data'],
    tokens: [
      { volume: 'v3', path: 'token', audience: 'vault', expirationSeconds: 600 },
      { volume: 'v3', path: 'plain', audience: '', expirationSeconds: 3600 },
    ],
  });
});

test('a pod that names nothing needs nothing', () => {
  expect(referencesOf({})).toEqual({ configMaps: [], secrets: [], claims: [], tokens: [] });
});
