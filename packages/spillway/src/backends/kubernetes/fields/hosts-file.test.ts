import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Container, ContainerStatus, PodSpec } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withHosts, withoutWriter, writerFor } from './hosts-file.ts';

const names = ['ring-1.ring.shop.svc.cluster.local', 'ring-1'];
const busybox = { shell: 'sh', image: 'busybox' };

function withOwnHosts(spec: PodSpec): { readonly writer: Container; readonly spec: PodSpec } {
  const made = withHosts(spec, names, busybox);
  const [writer] = made.initContainers ?? [];
  if (writer === undefined) throw new Error('nothing writes the file');
  return { writer, spec: made };
}

describe('the hosts file of a pod with a subdomain', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'hosts-file-'));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  /** What the first container makes of the file that the kubelet wrote. */
  const written = (kubelets: string, IPS: string): string => {
    const [from, to] = [path.join(dir, 'from'), path.join(dir, 'to')];
    writeFileSync(from, kubelets);
    const [shell = '', flag = '', script = ''] = withOwnHosts({ containers: [] }).writer.command ?? [];
    const args = [flag, script.replace('/etc/hosts', from).replace('/spillway/hosts', to)];
    execFileSync(shell, args, { env: { ...process.env, IPS } });
    return readFileSync(to, 'utf8');
  };

  test('is as a kubelet of its own cluster writes it, for all addresses of the pod', () => {
    const others = '10.1.0.77\tring-1\n\n# Entries added by HostAliases.\n10.9.9.9\tring-1\tforeign\n';
    const head = '# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n';
    expect(written(`${head}10.1.0.7\tring-1\nfd00::7\tring-1\n${others}`, '10.1.0.7,fd00::7')).toBe(
      `${head}10.1.0.7\t${names.join('\t')}\nfd00::7\t${names.join('\t')}\n${others}`,
    );
  });

  test('is there before its containers start, which see it, but for those that bring their own', () => {
    const own = { name: 'own', volumeMounts: [{ name: 'mine', mountPath: '/etc/hosts' }] };
    const { spec, writer } = withOwnHosts({ containers: [{ name: 'main' }, own], initContainers: [{ name: 'first' }] });
    expect(spec.initContainers?.map(({ name }) => name)).toEqual(['spillway-hosts', 'first']);
    const mounts = [...(spec.initContainers ?? []).slice(1), ...spec.containers].map(
      ({ volumeMounts }) => volumeMounts,
    );
    const mount = { name: 'spillway-hosts', mountPath: '/etc/hosts', subPath: 'hosts' };
    expect(mounts).toEqual([[mount], [mount], own.volumeMounts]);
    expect(writer.volumeMounts).toEqual([{ name: 'spillway-hosts', mountPath: '/spillway' }]);
    expect(spec.volumes).toEqual([{ name: 'spillway-hosts', emptyDir: {} }]);
  });

  test('costs nothing: what writes it asks for no more than the pod does', () => {
    const resources = { requests: { cpu: '1' }, limits: { cpu: '1' } };
    expect(withOwnHosts({ containers: [{ name: 'main', resources }] }).writer.resources).toEqual(resources);
  });
});

describe('the hosts file is written', () => {
  const exec = { exec: { command: ['/bin/bash', '-c', 'true'] } };
  const privileges = { runAsUser: 1000, privileged: true, capabilities: { add: ['SYS_ADMIN'] } };

  test.each<[string, PodSpec, string | undefined, ReturnType<typeof writerFor>]>([
    [
      'by the image of the pool, as nobody',
      { containers: [{ name: 'main', image: 'app', command: ['sh'] }] },
      'busybox',
      { ...busybox, securityContext: { runAsUser: 65_534 } },
    ],
    [
      'by the image of the first container that runs a shell, as its user',
      {
        containers: [
          { name: 'main', image: 'app', command: ['/app'] },
          {
            name: 'side',
            image: 'shell',
            imagePullPolicy: 'Never',
            command: ['/usr/bin/dash'],
            securityContext: privileges,
          },
        ],
      },
      undefined,
      { shell: '/usr/bin/dash', image: 'shell', imagePullPolicy: 'Never', securityContext: privileges },
    ],
    [
      'by that of an init container, too',
      { initContainers: [{ name: 'first', image: 'init', command: ['sh', '-c', 'true'] }], containers: [] },
      undefined,
      { shell: 'sh', image: 'init' },
    ],
    [
      'by one whose probes run a shell',
      { containers: [{ name: 'main', image: 'app', readinessProbe: exec }] },
      undefined,
      { shell: '/bin/bash', image: 'app' },
    ],
    [
      'by none whose hooks run a shell: those may fail',
      { containers: [{ name: 'main', image: 'app', lifecycle: { preStop: exec } }] },
      undefined,
      undefined,
    ],
    [
      'by none whose shell is on a volume, or has no fixed path',
      {
        containers: [
          { name: 'main', image: 'app', command: ['/tools/sh'] },
          { name: 'side', image: 'app', command: ['$(TOOLS)/sh'] },
        ],
      },
      undefined,
      undefined,
    ],
  ])('%s', (_, spec, hostsImage, writer) => {
    expect(writerFor(spec, hostsImage)).toEqual(writer);
  });

  test('with fewer privileges than that container has', () => {
    const spec = { containers: [{ name: 'main', image: 'app', command: ['sh'], securityContext: privileges }] };
    const writer = writerFor(spec);
    expect(writer && withHosts(spec, names, writer).initContainers?.[0]?.securityContext).toEqual({
      runAsUser: 1000,
      privileged: false,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });
});

function status(name: string, state: ContainerStatus['state'], restartCount = 0): ContainerStatus {
  return { name, image: 'app', imageID: '', ready: false, restartCount, ...(state && { state }) };
}

const agent = (state: ContainerStatus['state'], started: boolean): ContainerStatus => ({
  ...status('spillway-link', state),
  started,
});

describe('a pod whose link agent has not started yet', () => {
  const initializing = { waiting: { reason: 'PodInitializing' } };
  const pulls = { waiting: { reason: 'ErrImagePull', message: 'no such image' } };
  test('says of its first container why', () => {
    const containerStatuses = [status('main', initializing)];
    expect(withoutWriter({ initContainerStatuses: [agent(pulls, false)], containerStatuses })).toEqual({
      initContainerStatuses: [],
      containerStatuses: [status('main', pulls)],
    });
  });

  test.each([
    ['runs', agent({ running: {} }, true)],
    ['has not answered yet', agent({ running: {} }, false)],
    ['has ended with the pod', agent({ terminated: { exitCode: 143 } }, true)],
  ])('has its own statuses while the agent %s', (_, each) => {
    const containerStatuses = [status('main', { running: {} })];
    expect(withoutWriter({ initContainerStatuses: [each], containerStatuses })).toEqual({
      initContainerStatuses: [],
      containerStatuses,
    });
  });
});

describe('a pod whose hosts file is not written yet', () => {
  const initializing = { waiting: { reason: 'PodInitializing' } };
  const pulls = { waiting: { reason: 'ErrImagePull', message: 'no such image' } };
  const failed = { terminated: { exitCode: 128, reason: 'StartError' } };
  const seen = (
    state: ContainerStatus['state'],
    ...own: ContainerStatus[]
  ): { readonly init: readonly ContainerStatus[]; readonly main: readonly ContainerStatus[] } => {
    const { initContainerStatuses: init, containerStatuses: main } = withoutWriter({
      initContainerStatuses: [status('spillway-hosts', state, 3), ...own],
      containerStatuses: [status('main', initializing), status('side', initializing)],
    });
    return { init, main };
  };

  test.each([
    ['why its image is not there', pulls],
    ['how its shell failed', failed],
  ])('says of its first container %s', (_, state) => {
    expect(seen(state)).toEqual({
      init: [],
      main: [status('main', state, 3), status('side', initializing)],
    });
    expect(seen(state, status('first', initializing))).toEqual({
      init: [status('first', state, 3)],
      main: [status('main', initializing), status('side', initializing)],
    });
  });

  test.each([
    ['is being written', { running: {} }],
    ['is written', { terminated: { exitCode: 0 } }],
  ])('has its own statuses while it %s', (_, state) => {
    expect(seen(state).main).toEqual([status('main', initializing), status('side', initializing)]);
  });
});
