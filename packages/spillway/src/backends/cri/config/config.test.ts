import type { Container, Pod, PodSpec } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import type { Workload } from '../../backend.ts';
import { containerConfig } from './container.ts';
import { hostsFile, kernelHostname, podHostname } from './hostname.ts';
import { ownerSelector, podMarks, refOf } from './marks.ts';
import { sandboxConfig } from './sandbox.ts';
import { containerSecurity, nonRootViolation } from './security.ts';

const owner = { clusterId: 'cluster-1', nodeName: 'virtual' };
const ref = { uid: 'u-1', namespace: 'shop', name: 'web-0' };

const podOf = (spec: Partial<PodSpec> = {}, metadata: Pod['metadata'] = {}): Pod => ({
  metadata: { ...ref, ...metadata },
  spec: { containers: [{ name: 'main' }], ...spec },
});

const workloadOf = (pod: Pod): Workload => ({
  ref,
  pod,
  environment: new Map(),
  volumes: new Map(),
  objects: { configMaps: new Map(), secrets: new Map() },
  registryCredentials: [],
  hostIPs: [],
  clusterDomain: 'cluster.local',
});

describe('marks', () => {
  test('say whose an instance is, and which pod it is', () => {
    const marks = podMarks(owner, ref);
    expect(marks).toMatchObject(ownerSelector(owner));
    expect(marks).toMatchObject({ 'io.kubernetes.pod.name': 'web-0', 'spillway.dev/pod-uid': 'u-1' });
    expect(refOf(marks)).toEqual(ref);
    expect(refOf({ 'io.kubernetes.pod.name': 'foreign' })).toBeUndefined();
  });

  test('cannot be forged by a pod’s own labels', () => {
    const pod = podOf(
      {},
      { labels: { 'spillway.dev/cluster': 'other', app: 'web' }, annotations: { 'spillway.dev/node': 'other' } },
    );
    const { labels, annotations } = sandboxConfig({
      owner,
      workload: workloadOf(pod),
      attempt: 0,
      logDirectory: '/l',
      cgroupParent: '',
    });
    expect(labels).toMatchObject({ ...podMarks(owner, ref), app: 'web' });
    expect(annotations).toMatchObject(podMarks(owner, ref));
  });
});

describe('a sandbox', () => {
  test('has the pod’s identity, resolver, ports and sysctls', () => {
    const pod = podOf({
      containers: [
        { name: 'main', ports: [{ containerPort: 80 }, { containerPort: 53, hostPort: 5353, protocol: 'UDP' }] },
      ],
      securityContext: {
        sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }],
        runAsUser: 7,
        fsGroup: 8,
        supplementalGroups: [9],
      },
      shareProcessNamespace: true,
    });
    const workload = { ...workloadOf(pod), dns: { servers: ['10.0.0.10'], searches: ['a'], options: ['ndots:5'] } };
    expect(
      sandboxConfig({ owner, workload, attempt: 2, logDirectory: '/logs', cgroupParent: '/spillway/podu-1' }),
    ).toMatchObject({
      metadata: { ...ref, attempt: 2 },
      hostname: 'web-0',
      logDirectory: '/logs',
      dnsConfig: { servers: ['10.0.0.10'], searches: ['a'], options: ['ndots:5'] },
      portMappings: [{ protocol: 'UDP', containerPort: 53, hostPort: 5353, hostIp: '' }],
      linux: {
        cgroupParent: '/spillway/podu-1',
        sysctls: { 'net.ipv4.tcp_syncookies': '1' },
        securityContext: {
          namespaceOptions: { network: 'POD', ipc: 'POD', pid: 'POD' },
          runAsUser: { value: 7 },
          supplementalGroups: [8, 9],
          privileged: false,
        },
      },
    });
  });
});

describe('a container', () => {
  const container: Container = {
    name: 'main',
    image: 'busybox',
    command: ['run', '$(A)'],
    args: ['$(B)'],
    workingDir: '/work',
    resources: { limits: { cpu: '500m', memory: '1Mi' } },
  };

  test('has its command with variables, its limits, its log and its back-off', () => {
    const config = containerConfig({
      owner,
      workload: workloadOf(podOf({ containers: [container] })),
      container,
      attempt: 3,
      backoffMs: 40_000,
      image: { id: 'sha256:1' },
      environment: new Map([['A', 'ä']]),
      mounts: [{ hostPath: '/h', containerPath: '/c' }],
      machineMemoryBytes: 2 ** 30,
    });
    expect(config).toMatchObject({
      metadata: { name: 'main', attempt: 3 },
      image: { image: 'sha256:1', userSpecifiedImage: 'busybox' },
      command: ['run', 'ä'],
      args: ['$(B)'],
      workingDir: '/work',
      envs: [{ key: 'A', value: Buffer.from('ä') }],
      mounts: [{ hostPath: '/h', containerPath: '/c' }],
      labels: { 'io.kubernetes.container.name': 'main', 'spillway.dev/pod-uid': 'u-1' },
      annotations: { 'spillway.dev/restart-backoff-ms': '40000' },
      logPath: 'main/3.log',
      linux: {
        resources: {
          cpuQuota: 50_000,
          cpuPeriod: 100_000,
          cpuShares: 512,
          memoryLimitInBytes: 1_048_576,
          oomScoreAdj: -997,
        },
      },
    });
  });

  test('gets its own security settings before the pod’s, and the image’s user where nobody says otherwise', () => {
    const pod = podOf({ securityContext: { runAsUser: 1, runAsGroup: 2, seccompProfile: { type: 'RuntimeDefault' } } });
    expect(containerSecurity(pod, { name: 'a' }, { uid: 9 })).toMatchObject({
      runAsUser: { value: 1 },
      runAsGroup: { value: 2 },
      seccomp: { profileType: 'RuntimeDefault' },
      privileged: false,
      noNewPrivs: false,
    });
    const own = {
      runAsUser: 5,
      seccompProfile: { type: 'Unconfined' },
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_ADMIN'] },
    };
    expect(containerSecurity(pod, { name: 'a', securityContext: own }, {})).toMatchObject({
      runAsUser: { value: 5 },
      seccomp: { profileType: 'Unconfined' },
      noNewPrivs: true,
      capabilities: { addCapabilities: ['NET_ADMIN'], dropCapabilities: [] },
    });
    expect(containerSecurity(podOf(), { name: 'a' }, { uid: 9 })).toMatchObject({
      runAsUser: { value: 9 },
      seccomp: { profileType: 'Unconfined' },
    });
    expect(containerSecurity(podOf(), { name: 'a' }, { username: 'web' })).toMatchObject({ runAsUsername: 'web' });
  });

  test.each([
    [undefined, { uid: 0 }, undefined],
    [{ runAsNonRoot: true }, { uid: 1 }, undefined],
    [{ runAsNonRoot: true, runAsUser: 7 }, { uid: 0 }, undefined],
    [{ runAsNonRoot: true, runAsUser: 0 }, {}, 'breaks non-root policy'],
    [{ runAsNonRoot: true }, { uid: 0 }, 'image will run as root'],
    [{ runAsNonRoot: true }, {}, 'image will run as root'],
    [{ runAsNonRoot: true }, { username: 'web' }, 'non-numeric user (web)'],
  ])('that must not be root is not: %j, image %j: %s', (securityContext, image, message) => {
    const violation = nonRootViolation(podOf(), { name: 'main', ...(securityContext && { securityContext }) }, image);
    if (message === undefined) expect(violation).toBeUndefined();
    else expect(violation).toContain(message);
  });
});

describe('the name of a pod', () => {
  test.each<[Partial<PodSpec>, string, string, string]>([
    [{}, 'web-0', '', 'web-0'],
    [{ hostname: 'h' }, 'h', '', 'h'],
    [{ hostname: 'h', subdomain: 's' }, 'h', 's.shop.svc.cluster.local', 'h'],
    [
      { hostname: 'h', subdomain: 's', setHostnameAsFQDN: true },
      'h',
      's.shop.svc.cluster.local',
      'h.s.shop.svc.cluster.local',
    ],
    [{ hostnameOverride: 'o', subdomain: 's' }, 'o', '', 'o'],
  ])('by %j is %s', (spec, hostname, domain, kernel) => {
    const name = podHostname(podOf(spec), 'cluster.local');
    expect(name).toEqual({ hostname, domain });
    expect(kernelHostname(podOf(spec), name)).toBe(kernel);
  });

  test('is cut where the kernel’s is, and does not end in a dash', () => {
    const long = `${'a'.repeat(62)}-tail`;
    expect(podHostname(podOf({}, { name: long }), '').hostname).toBe('a'.repeat(62));
  });

  test('is in the hosts file, with every address', () => {
    const pod = podOf({ hostAliases: [{ ip: '1.2.3.4', hostnames: ['x', 'y'] }] });
    const text = hostsFile(pod, { hostname: 'web-0', domain: 's.shop.svc.cluster.local' }, ['10.0.0.1', 'fd00::1']);
    expect(text.split('\n').slice(7)).toEqual([
      '10.0.0.1\tweb-0.s.shop.svc.cluster.local\tweb-0',
      'fd00::1\tweb-0.s.shop.svc.cluster.local\tweb-0',
      '',
      '# Entries added by HostAliases.',
      '1.2.3.4\tx\ty',
      '',
    ]);
  });
});
