import { describe, expect, it } from 'vitest';
import { kubernetesAccess } from './kubernetes-access.ts';

const outside = { variables: {}, home: '/home/me', hasServiceAccount: false };
const inside = {
  variables: { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' },
  home: '/root',
  hasServiceAccount: true,
};

describe('the credentials for the API server', () => {
  it('come from the configured file before anything else', () => {
    expect(kubernetesAccess({ kubeconfig: '/k', context: 'c' }, inside)).toEqual({
      kind: 'kubeconfig',
      paths: ['/k'],
      context: 'c',
    });
  });

  it('come from the service account inside a cluster', () => {
    expect(kubernetesAccess({}, inside)).toEqual({ kind: 'inCluster', host: '10.0.0.1', port: '6443' });
  });

  it('come from the files of $KUBECONFIG outside', () => {
    expect(kubernetesAccess({}, { ...outside, variables: { KUBECONFIG: '/a:/b:' } })).toEqual({
      kind: 'kubeconfig',
      paths: ['/a', '/b'],
    });
  });

  it('come from the home folder at last', () => {
    expect(kubernetesAccess({ context: 'c' }, outside)).toEqual({
      kind: 'kubeconfig',
      paths: ['/home/me/.kube/config'],
      context: 'c',
    });
  });
});
