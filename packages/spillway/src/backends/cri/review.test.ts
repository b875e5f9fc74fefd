import type { Container, PodSpec } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { reviewPod } from './review.ts';

const probe = { exec: { command: ['true'] } };

function refusals(spec: Partial<PodSpec>, allowPrivileged = false): string[] {
  const pod = { spec: { containers: [{ name: 'main' }], ...spec } };
  return reviewPod(pod, { allowPrivileged }).refusals.map(({ code, field }) => `${code} ${field}`);
}

const ofContainer = (container: Partial<Container>): string[] =>
  refusals({ containers: [{ name: 'main', ...container }] });

describe('a pod that can run here', () => {
  test('is not refused', () => {
    const spec: PodSpec = {
      restartPolicy: 'OnFailure',
      hostUsers: true,
      os: { name: 'linux' },
      securityContext: {
        fsGroup: 1,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
        sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }],
        supplementalGroupsPolicy: 'Merge',
      },
      initContainers: [{ name: 'init' }],
      containers: [
        {
          name: 'main',
          resources: { limits: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' } },
          securityContext: { capabilities: { drop: ['ALL'] }, privileged: false, procMount: 'Default' },
          volumeMounts: [{ name: 'a', mountPath: '/a', mountPropagation: 'None', recursiveReadOnly: 'IfPossible' }],
          ports: [{ containerPort: 80, hostPort: 8080 }],
          stdin: true,
          tty: true,
        },
      ],
      volumes: [
        { name: 'a', emptyDir: { medium: 'Memory' } },
        { name: 'b', configMap: { name: 'x' } },
        { name: 'c', secret: { secretName: 'x' } },
        { name: 'd', downwardAPI: {} },
        { name: 'e', projected: { sources: [{ serviceAccountToken: { path: 't' } }, { configMap: { name: 'x' } }] } },
      ],
    };
    expect(reviewPod({ spec }, { allowPrivileged: false })).toEqual({ refusals: [] });
  });
});

test('who debugs a pod that still waits does not keep it from starting', () => {
  expect(refusals({ ephemeralContainers: [{ name: 'debugger', image: 'busybox' }] })).toEqual([]);
});

describe('what is not built is refused, by code and field', () => {
  test.each<[Partial<PodSpec>, string[]]>([
    [
      { hostNetwork: true, hostPID: true },
      ['host-namespace-unsupported spec.hostNetwork', 'host-namespace-unsupported spec.hostPID'],
    ],
    [{ hostUsers: false }, ['user-namespace-unsupported spec.hostUsers']],
    [{ os: { name: 'windows' } }, ['os-unsupported spec.os.name']],
    [{ runtimeClassName: 'kata' }, ['runtime-class-unsupported spec.runtimeClassName']],
    [
      {
        volumes: [
          { name: 'a', emptyDir: {} },
          { name: 'b', hostPath: { path: '/' } },
          { name: 'c', persistentVolumeClaim: { claimName: 'x' } },
        ],
      },
      ['volume-unsupported spec.volumes[1].hostPath', 'volume-unsupported spec.volumes[2].persistentVolumeClaim'],
    ],
    [
      { volumes: [{ name: 'a', projected: { sources: [{ clusterTrustBundle: { path: 'x' } }] } }] },
      ['projection-unsupported spec.volumes[0].projected.sources[0].clusterTrustBundle'],
    ],
    [
      { volumes: [{ name: 'a', emptyDir: { medium: 'HugePages' } }] },
      ['empty-dir-medium-unsupported spec.volumes[0].emptyDir.medium'],
    ],
    [
      { initContainers: [{ name: 'i', restartPolicy: 'Always' }] },
      ['sidecar-unsupported spec.initContainers[0].restartPolicy'],
    ],
    [{ resourceClaims: [{ name: 'gpu' }] }, ['resource-unsupported spec.resourceClaims']],
    [
      {
        securityContext: {
          sysctls: [{ name: 'kernel.msgmax', value: '1' }],
          seccompProfile: { type: 'Localhost', localhostProfile: 'x' },
        },
      },
      [
        'security-profile-unsupported spec.securityContext.seccompProfile',
        'sysctl-refused spec.securityContext.sysctls[0]',
      ],
    ],
    [
      { securityContext: { supplementalGroupsPolicy: 'Strict' } },
      ['supplemental-groups-policy-unsupported spec.securityContext.supplementalGroupsPolicy'],
    ],
  ])('of a pod: %j', (spec, expected) => {
    expect(refusals(spec)).toEqual(expected);
  });

  test.each<[Partial<Container>, string[]]>([
    [
      { livenessProbe: probe, readinessProbe: probe },
      ['probes-unsupported livenessProbe', 'probes-unsupported readinessProbe'],
    ],
    [{ startupProbe: probe }, ['probes-unsupported startupProbe']],
    [
      { lifecycle: { preStop: probe, postStart: probe } },
      ['lifecycle-unsupported lifecycle.postStart', 'lifecycle-unsupported lifecycle.preStop'],
    ],
    [{ lifecycle: { stopSignal: 'SIGUSR1' } }, ['lifecycle-unsupported lifecycle.stopSignal']],
    [{ resources: { limits: { 'nvidia.com/gpu': '1' } } }, ['resource-unsupported resources.limits.nvidia.com/gpu']],
    [{ securityContext: { privileged: true } }, ['privileged-refused securityContext.privileged']],
    [{ securityContext: { procMount: 'Unmasked' } }, ['proc-mount-unsupported securityContext.procMount']],
    [
      { securityContext: { appArmorProfile: { type: 'Localhost' } } },
      ['security-profile-unsupported securityContext.appArmorProfile'],
    ],
    [
      {
        volumeMounts: [{ name: 'a', mountPath: '/a', mountPropagation: 'Bidirectional', recursiveReadOnly: 'Enabled' }],
      },
      [
        'mount-option-unsupported volumeMounts[0].mountPropagation',
        'mount-option-unsupported volumeMounts[0].recursiveReadOnly',
      ],
    ],
    [{ volumeDevices: [{ name: 'a', devicePath: '/dev/a' }] }, ['mount-option-unsupported volumeDevices']],
    [
      { env: [{ name: 'A', valueFrom: { fileKeyRef: { key: 'k', path: 'p', volumeName: 'v' } } }] },
      ['env-source-unsupported env[0].valueFrom.fileKeyRef'],
    ],
  ])('of a container: %j', (container, expected) => {
    expect(ofContainer(container)).toEqual(expected.map((each) => each.replace(' ', ' spec.containers[0].')));
  });

  test('privileged containers only where the pool allows them', () => {
    const spec = { containers: [{ name: 'main', securityContext: { privileged: true } }] };
    expect(refusals(spec, true)).toEqual([]);
  });

  test('each refusal says what is wrong where, and what to do', () => {
    const { refusals: all } = reviewPod(
      { spec: { containers: [{ name: 'main', livenessProbe: probe }] } },
      { allowPrivileged: false },
    );
    expect(all).toEqual([
      {
        code: 'probes-unsupported',
        documentation: 'not-burstable.md#probes-unsupported',
        field: 'spec.containers[0].livenessProbe',
        message: expect.stringContaining('probes are not supported yet'),
        remedy: expect.stringMatching(/./),
      },
    ]);
  });
});
