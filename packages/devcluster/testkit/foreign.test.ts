import { expect, it } from 'vitest';
import { isForeign, isPolicy } from './foreign.ts';

it.each([
  '/registry/pods/default/web',
  '/registry/minions/virtual-kubelet',
  '/registry/leases/kube-node-lease/virtual-kubelet',
  '/registry/leases/kube-system/spillway',
  '/registry/roles/kube-system/spillway',
  '/registry/serviceaccounts/work/default',
  '/registry/configmaps/work/kube-root-ca.crt',
  '/registry/apiextensions.k8s.io/customresourcedefinitions/scheduleprofiles.scheduling.cci.io',
])('somebody has made %s', (key) => {
  expect(isForeign(key)).toBe(true);
});

it.each([
  '/registry/events/default/web.1',
  '/registry/leases/kube-system/apiserver-abc',
  '/registry/serviceaccounts/kube-system/job-controller',
  '/registry/serviceaccounts/kube-public/default',
  '/registry/configmaps/default/kube-root-ca.crt',
  '/registry/masterleases/10.201.0.2',
])('Kubernetes makes %s', (key) => {
  expect(isForeign(key)).toBe(false);
});

it('policies and webhooks decide on what others ask', () => {
  expect(
    [
      '/registry/mutatingadmissionpolicies/spillway-pods',
      '/registry/validatingadmissionpolicybindings/a',
      '/registry/mutatingwebhookconfigurations/a',
      '/registry/pods/default/web',
    ].map(isPolicy),
  ).toEqual([true, true, true, false]);
});
