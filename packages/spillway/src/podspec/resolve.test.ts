import type { EnvVar, PodSpec, Secret } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { type Resolution, resolveWorkload } from './resolve.ts';
import { boundClaims, noClaims } from './testing/claims.ts';

function resolve(spec: PodSpec, secrets: Record<string, Secret> = {}, claims = noClaims): Resolution {
  return resolveWorkload(
    { metadata: { name: 'web-0', namespace: 'shop', uid: 'u-1' }, spec },
    { configMap: () => undefined, secret: (name) => secrets[name], claims, token: () => 'token', services: [] },
    { hostIPs: ['192.0.2.1'], allocatable: {}, dns: { clusterServers: ['10.0.0.10'], clusterDomain: 'cluster.local' } },
  );
}

const optionalLogin = (name: string): EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: 'login', key: name, optional: true } },
});

describe('a workload', () => {
  test('has everything of init containers and containers, in order', () => {
    const resolution = resolve({
      initContainers: [{ name: 'first', env: [{ name: 'A', value: '1' }] }],
      containers: [{ name: 'main', env: [{ name: 'B', value: '2' }] }],
      volumes: [
        { name: 'scratch', emptyDir: {} },
        { name: 'share', nfs: { server: 's', path: '/' } },
      ],
    });
    if (!resolution.ok) throw new Error('something is missing');
    const { workload } = resolution;
    expect([...workload.environment]).toEqual([
      ['first', [{ name: 'A', value: ['1'] }]],
      ['main', [{ name: 'B', value: ['2'] }]],
    ]);
    expect([...workload.volumes.keys()]).toEqual(['scratch']);
    expect(workload).toMatchObject({
      hostIPs: ['192.0.2.1'],
      clusterDomain: 'cluster.local',
      dns: { servers: ['10.0.0.10'] },
    });
  });

  test('that lacks something names all of it: events and waiting reasons as the kubelet’s', () => {
    const resolution = resolve({
      containers: [
        { name: 'main', env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }] },
      ],
      volumes: [{ name: 'login', secret: { secretName: 'login' } }],
    });
    expect(resolution).toEqual({
      ok: false,
      missing: [
        {
          kind: 'secret',
          name: 'login',
          volume: 'login',
          waiting: { reason: 'ContainerCreating' },
          event: {
            severity: 'Warning',
            reason: 'FailedMount',
            message: 'MountVolume.SetUp failed for volume "login" : secret "login" not found',
          },
        },
        {
          kind: 'configMap',
          name: 'settings',
          container: 'main',
          waiting: { reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' },
          event: {
            severity: 'Warning',
            reason: 'Failed',
            message: 'Error: configmap "settings" not found',
            fieldPath: 'spec.containers{main}',
          },
          also: {
            severity: 'Warning',
            reason: 'MandatoryConfigMapNotFound',
            message: 'Mandatory ConfigMap "settings" not found',
            fieldPath: 'spec.containers{main}',
          },
        },
      ],
    });
  });

  test('says once for each container which optional objects of its variables are not there', () => {
    const resolution = resolve({
      containers: [
        {
          name: 'main',
          env: [optionalLogin('A'), optionalLogin('B')],
          envFrom: [{ configMapRef: { name: 'settings', optional: true } }],
        },
      ],
    });
    expect(resolution).toMatchObject({
      ok: true,
      notices: [
        { reason: 'OptionalConfigMapNotFound', fieldPath: 'spec.containers{main}' },
        { reason: 'OptionalSecretNotFound', message: 'Optional Secret "login" not found' },
      ],
    });
  });

  test('takes the logins that its pull Secrets have, and says which could not be used', () => {
    const config = JSON.stringify({ auths: { 'quay.io': { username: 'u', password: 'p' } } });
    const secrets = { good: { data: { '.dockerconfigjson': Buffer.from(config).toString('base64') } }, bad: {} };
    const resolution = resolve(
      { containers: [], imagePullSecrets: [{ name: 'good' }, { name: 'none' }, { name: 'bad' }] },
      secrets,
    );
    expect(resolution).toMatchObject({
      ok: true,
      workload: { registryCredentials: [{ registry: 'quay.io', username: 'u', password: 'p' }] },
      notices: [
        {
          reason: 'FailedToRetrieveImagePullSecret',
          message: expect.stringContaining('(none, bad (has neither .dockerconfigjson nor .dockercfg))'),
        },
      ],
    });
  });
});

describe('a claim', () => {
  const spec: PodSpec = {
    containers: [{ name: 'main' }],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'data-0' } },
      { name: 'again', persistentVolumeClaim: { claimName: 'data-0' } },
    ],
  };

  test('that is not bound is waited for, in every volume that needs it', () => {
    const resolution = resolve(spec);
    expect(resolution).toMatchObject({
      ok: false,
      missing: [
        {
          kind: 'claim',
          name: 'data-0',
          volume: 'data',
          waiting: { reason: 'ContainerCreating' },
          event: {
            reason: 'FailedMount',
            message:
              'MountVolume.SetUp failed for volume "data" : the PersistentVolumeClaim "data-0" does not exist. Create the claim.',
          },
        },
        { volume: 'again' },
      ],
    });
  });

  test('that is bound goes to the backend with its volume', () => {
    const resolution = resolve(spec, {}, boundClaims({ 'data-0': { metadata: { name: 'pv' } } }));
    expect(resolution).toMatchObject({ ok: true });
    if (!resolution.ok) return;
    const { claims } = resolution.workload;
    expect([...claims.keys()]).toEqual(['data-0']);
    expect(claims.get('data-0')).toMatchObject({
      namespace: 'shop',
      name: 'data-0',
      volume: { metadata: { name: 'pv' } },
    });
  });
});
