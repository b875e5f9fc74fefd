import { expect, test } from 'vitest';
import { fieldMistake } from './pod-fields.ts';

const pod = (spec: object = {}, container: object = {}): object => ({
  containers: [{ name: 'main', image: 'nginx', ...container }],
  ...spec,
});

test('a pod as Spillway sends it is taken', () => {
  const spec = {
    hostname: 'web-0',
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['10.0.0.2'] },
    imagePullSecrets: [{ name: 'imagepull-secret' }],
    nodeName: '',
    hostNetwork: false,
    tolerations: null,
    volumes: [
      { name: 'a', configMap: { name: 'a' } },
      { name: 'b', emptyDir: {} },
    ],
  };
  const container = { env: [], volumeMounts: [{ name: 'a', subPath: 'x', mountPath: '/x' }] };
  expect(fieldMistake(pod(spec, container), 1)).toBeUndefined();
});

test.each([
  [{ nodeName: 'n' }, 'spec.nodeName'],
  [{ nodeSelector: { a: 'b' } }, 'spec.nodeSelector'],
  [{ tolerations: [] }, 'spec.tolerations'],
  [{ affinity: {} }, 'spec.affinity'],
  [{ serviceAccountName: 'default' }, 'spec.serviceAccountName'],
  [{ schedulerName: 'mine' }, 'spec.schedulerName'],
  [{ priorityClassName: 'high' }, 'spec.priorityClassName'],
  [{ hostNetwork: true }, 'spec.hostNetwork'],
  [{ hostPID: true }, 'spec.hostPID'],
  [{ hostIPC: true }, 'spec.hostIPC'],
  [{ ephemeralContainers: [] }, 'spec.ephemeralContainers'],
  [{ dnsPolicy: 'ClusterFirstWithHostNet' }, 'spec.dnsPolicy'],
  [{ imagePullSecrets: [{ name: 'default-secret' }] }, 'the name must be imagepull-secret'],
  [{ volumes: [{ name: 'h', hostPath: { path: '/' } }] }, 'spec.volumes[0].hostPath'],
  [{ volumes: [{ name: 'c', csi: {} }] }, 'spec.volumes[0].csi'],
])('%j is refused', (spec, message) => {
  expect(fieldMistake(pod(spec), 1)).toContain(message);
});

test.each([
  [{ securityContext: { privileged: true } }, 'privileged'],
  [{ startupProbe: { tcpSocket: { port: 80 } } }, 'startupProbe.tcpSocket'],
  [{ volumeDevices: [] }, 'volumeDevices'],
  [{ resizePolicy: [] }, 'resizePolicy'],
  [{ restartPolicy: 'Always' }, 'containers[0].restartPolicy'],
  [{ ports: [{ containerPort: 80, hostPort: 80 }] }, 'hostPort'],
])('a container with %j is refused', (container, message) => {
  expect(fieldMistake(pod({}, container), 1)).toContain(message);
});

function withInit(restartPolicy: string): object {
  return pod({ initContainers: [{ name: 'side', restartPolicy }] });
}

test('an init container may be a sidecar, and has no other restart policy', () => {
  for (const generation of [1, 2] as const) {
    expect(fieldMistake(withInit('Always'), generation)).toBeUndefined();
    expect(fieldMistake(withInit('Never'), generation)).toBe('spec.initContainers[0].restartPolicy is not supported');
  }
});

test('an emptyDir has no subPath', () => {
  const spec = { volumes: [{ name: 'd', emptyDir: {} }] };
  expect(fieldMistake(pod(spec, { volumeMounts: [{ name: 'd', subPath: 'x' }] }), 1)).toContain('subPath');
  expect(fieldMistake(pod(spec, { volumeMounts: [{ name: 'd', subPathExpr: '$(X)' }] }), 1)).toContain('subPath');
});

test('CCI 2.0 knows other fields and volumes', () => {
  const spec = {
    affinity: {},
    topologySpreadConstraints: [],
    volumes: [
      { name: 'n', nfs: { server: 's', path: '/' } },
      { name: 'p', projected: { sources: [{ secret: { name: 's' } }] } },
    ],
  };
  expect(fieldMistake(pod(spec), 2)).toBeUndefined();
  for (const field of ['subdomain', 'serviceAccountName', 'nodeSelector', 'tolerations', 'priorityClassName']) {
    expect(fieldMistake(pod({ [field]: 'x' }), 2)).toContain(`spec.${field}`);
  }
  const token = { name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } };
  expect(fieldMistake(pod({ volumes: [token] }), 2)).toContain('volumes[0].projected.sources[0].serviceAccountToken');
});
