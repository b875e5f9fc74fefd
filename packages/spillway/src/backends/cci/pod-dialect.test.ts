import type { EnvVarSource } from '@spillway/kube';
import { expect, test } from 'vitest';
import { translate } from '../kubernetes/fields/translate.ts';
import { makeWorkload, type WorkloadInput } from '../testing/workloads.ts';
import { dialects } from './dialects.ts';
import { podDialect } from './pod-dialect.ts';

const owner = { clusterId: 'home', nodeName: 'virtual' };
const dialect = podDialect(dialects.v1, { region: 'r1', volumeRefresh: false });

function translated(
  spec: WorkloadInput['spec'],
  annotations: WorkloadInput['annotations'] = {},
): ReturnType<typeof translate>['pod'] {
  const made = makeWorkload({ name: 'web', image: 'nginx', spec, annotations });
  const metadata = { ...made.pod.metadata, uid: 'u1', creationTimestamp: '2026-11-24T20:00:05Z' };
  const workload = { ...made, pod: { ...made.pod, metadata } };
  return translate(workload, { dialect, owner, namespace: 'cce-burst-home' }).pod;
}

test('a pod in CCI has the marks that the vendor’s tools look for, and no finalizer', () => {
  const { metadata } = translated({ containers: [{}] });
  expect(metadata).toMatchObject({
    namespace: 'cce-burst-home',
    name: expect.stringMatching(/^default-web-[0-9a-f]{10}$/),
    annotations: {
      'virtual-kubelet-namespace': 'default',
      'virtual-kubelet-podname': 'web',
      'virtual-kubelet-clustername': 'home',
      'virtual-kubelet-uid': 'u1',
      'virtual-kubelet-nodename': 'virtual',
      'virtual-kubelet-creationtimestamp': '2026-11-24 20:00:05 +0000 UTC',
    },
  });
  expect(metadata).not.toHaveProperty('finalizers');
});

const fieldRef = (key: string): EnvVarSource => ({ fieldRef: { fieldPath: `metadata.annotations['${key}']` } });

test('annotations that CCI knows go with the pod; a variable gets the value of the others', () => {
  const { metadata, spec } = translated(
    {
      containers: [
        {
          env: [
            { name: 'TEAM', valueFrom: fieldRef('team') },
            { name: 'EIP', valueFrom: fieldRef('yangtse.io/pod-with-eip') },
          ],
        },
      ],
    },
    { team: 'shop', 'yangtse.io/pod-with-eip': 'true', 'kubernetes.io/egress-bandwidth': '10M' },
  );
  expect(metadata?.annotations).toMatchObject({
    'yangtse.io/pod-with-eip': 'true',
    'kubernetes.io/egress-bandwidth': '10M',
  });
  expect(metadata?.annotations).not.toHaveProperty('team');
  expect(spec?.containers[0]?.env).toEqual(
    expect.arrayContaining([
      { name: 'TEAM', value: 'shop' },
      { name: 'EIP', valueFrom: fieldRef('yangtse.io/pod-with-eip') },
    ]),
  );
});

test('sidecars and volumes of NFS are there as they were written', () => {
  const volumes = [{ name: 'data', nfs: { server: '192.168.0.9', path: '/' } }];
  const { spec } = translated({
    initContainers: [{ name: 'side', restartPolicy: 'Always' }],
    containers: [{}],
    volumes,
  });
  expect(spec?.initContainers).toMatchObject([{ name: 'side', restartPolicy: 'Always' }]);
  expect(spec?.volumes).toEqual(volumes);
});

test('it knows nothing of the API server there, pulls with the one Secret, and asks the DNS of its cluster', () => {
  const { spec } = translated({ containers: [{}], imagePullSecrets: [{ name: 'mine' }] });
  expect(spec?.imagePullSecrets).toEqual([{ name: 'imagepull-secret' }]);
  expect(spec?.automountServiceAccountToken).toBe(false);
  expect(spec?.containers[0]?.env).toEqual(
    expect.arrayContaining([
      { name: 'KUBERNETES_SERVICE_HOST', value: '' },
      { name: 'KUBERNETES_SERVICE_PORT', value: '' },
    ]),
  );
  expect(spec?.dnsPolicy).toBe('None');
  expect(spec?.dnsConfig?.options).toEqual([
    { name: 'ndots', value: '5' },
    { name: 'timeout', value: '1' },
    { name: 'attempts', value: '2' },
  ]);
});

test('what the pod says about time-outs of DNS stays', () => {
  const { spec } = translated({ containers: [{}], dnsConfig: { options: [{ name: 'timeout', value: '9' }] } });
  expect(spec?.dnsConfig?.options?.filter(({ name }) => name === 'timeout')).toEqual([{ name: 'timeout', value: '9' }]);
});

test('objects of CCI 2.0 are in its own group', () => {
  const { pods, secrets, configMaps, events } = podDialect(dialects.v2, { region: 'r1', volumeRefresh: false }).types;
  for (const { apiVersion } of [pods, secrets, configMaps, events]) expect(apiVersion).toBe('cci/v2');
});
