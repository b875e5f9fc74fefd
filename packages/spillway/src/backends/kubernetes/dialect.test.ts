import { expect, test } from 'vitest';
import { makeWorkload } from '../testing/workloads.ts';
import { connectedDialect, kubernetesDialect } from './dialect.ts';
import { translate } from './fields/translate.ts';
import type { Interconnect } from '../../podspec/fit/support.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };

/** What a pod is told of the API server, and whether it gets the token that Kubernetes mounts. */
function told(interconnect: Interconnect, clusterServices?: true): unknown {
  const token = { name: 'kube-api-access-x', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } };
  const made = makeWorkload({ name: 'web', image: 'nginx:1', spec: { volumes: [token], containers: [{}] } });
  const environment = new Map([['main', [{ name: 'KUBERNETES_SERVICE_HOST', value: ['10.96.0.1'] }]]]);
  const workload = { ...made, environment, ...(clusterServices && { clusterServices }) };
  const dialect = connectedDialect(kubernetesDialect, interconnect);
  const { spec } = translate(workload, { dialect, owner, namespace: 'burst' }).pod;
  const host = spec?.containers[0]?.env?.find(({ name }) => name === 'KUBERNETES_SERVICE_HOST');
  return { host: host?.value, volumes: spec?.volumes?.map(({ name }) => name) };
}

test('pods that do not reach Services know nothing of the API server', () => {
  expect(told('off')).toEqual({ host: '', volumes: [] });
});

test('pods whose Services are routed do', () => {
  expect(told('route')).toEqual({ host: '10.96.0.1', volumes: ['kube-api-access-x'] });
});

test('pods with an agent do, and those without one have only the token', () => {
  expect(told('agent', true)).toEqual({ host: '10.96.0.1', volumes: ['kube-api-access-x'] });
  expect(told('agent')).toEqual({ host: '', volumes: ['kube-api-access-x'] });
});
