import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { agnhostImage, resolveOlderKubectls } from '@spillway/devcluster';
import type { Pod } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../testkit/eventually.ts';
import { Kubectl } from '../testkit/kubectl.ts';
import { echoed, PortForward } from '../testkit/port-forward.ts';
import { type Product, shellPod, startProduct, waitPhase, waitReady } from '../testkit/product.ts';
import { type KubectlProgram, type Run, runKubectl } from '../testkit/run.ts';
import { terminal } from '../testkit/terminal.ts';

const megabyte = 1 << 20;
/** Each way through one port-forward. */
const transfer = process.env['SPILLWAY_SOAK'] ? 1024 * megabyte : 64 * megabyte;
const echoPort = 8080;
const answerPort = 8081;
const deafPort = 8090;
const webPort = 8082;

const programs = [
  { minor: 'newest', protocol: 'WebSocket' },
  { minor: 'newest', protocol: 'SPDY' },
  { minor: '1.36', protocol: 'WebSocket' },
  { minor: '1.36', protocol: 'SPDY' },
  { minor: '1.35', protocol: 'WebSocket' },
  { minor: '1.35', protocol: 'SPDY' },
] as const;

type Which = (typeof programs)[number];

let product: Product;

beforeAll(async () => {
  product = await startProduct('verbs');
  const { kubectl, namespace } = product;
  const setup = { name: 'setup', image: 'busybox', command: ['sh', '-c', 'echo prepared'] };
  const servers = [
    `nc -ll -p ${echoPort} -e cat &`,
    `nc -ll -p ${answerPort} -e sh -c 'read question; echo "the answer to $question"' &`,
    'echo serving; sleep 3600',
  ];
  const pods = [
    shellPod('server', servers.join('\n'), { initContainers: [setup] }),
    // Sends back what a request has in its query.
    shellPod('web', '', {
      containers: [{ name: 'main', image: agnhostImage, args: ['netexec', `--http-port=${webPort}`, '--udp-port=-1'] }],
    }),
    shellPod('waiting', 'true', {
      containers: [{ name: 'main', image: 'busybox:none', imagePullPolicy: 'Never', stdin: true }],
    }),
    crashingOnce(),
    shellPod('ended', 'echo last words; exit 3', { restartPolicy: 'Never' }),
    shellPod('removed', 'echo last words; exit 3', { restartPolicy: 'Never' }),
  ];
  await kubectl.apply(...pods.map((pod) => inNamespace(pod)));
  await waitReady(kubectl, namespace, 'server');
  await waitReady(kubectl, namespace, 'web');
  await waitPhase(kubectl, namespace, 'ended', 'Failed');
});

afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
});

/** The second attempt stays, so that the kubelet keeps the first one's log. */
function crashingOnce(): Pod {
  const pod = shellPod('crashing', '[ -e /seen/it ] && exec sleep 3600; touch /seen/it; echo attempt; exit 1');
  const [main] = pod.spec?.containers ?? [];
  const containers = [{ ...main, name: 'main', volumeMounts: [{ name: 'seen', mountPath: '/seen' }] }];
  return { ...pod, spec: { ...pod.spec, containers, volumes: [{ name: 'seen', emptyDir: {} }] } };
}

function inNamespace<T extends Pod>(pod: T): T {
  return { ...pod, metadata: { ...pod.metadata, namespace: product.namespace } };
}

/** Older ones are built when a machine does not have them yet. */
async function programOf({ minor, protocol }: Which): Promise<KubectlProgram> {
  if (minor === 'newest') return { path: product.testbed.cluster.kubectlPath, protocol };
  const paths = await resolveOlderKubectls();
  return { path: paths[minor === '1.36' ? 0 : 1] ?? '', protocol };
}

/** A pod that reads what it is given, for one test. */
async function reader(name: string, container: object): Promise<void> {
  const { kubectl, namespace } = product;
  const pod = inNamespace(shellPod(name, 'true', { restartPolicy: 'Never' }));
  const [main] = pod.spec?.containers ?? [];
  const containers = [{ ...main, name: 'main', ...container }];
  await kubectl.apply({ ...pod, spec: { ...pod.spec, containers } });
  await eventually(`pod ${name} to run`, async () => {
    const { status } = await kubectl.get<Pod>(['pod', name, '-n', namespace]);
    return status?.containerStatuses?.[0]?.state?.running !== undefined;
  });
}

const runNewest = (...args: readonly string[]): Promise<string> =>
  product.kubectl.run(['-n', product.namespace, ...args]);

describe.each(programs)('kubectl $minor over $protocol', (which) => {
  let program: KubectlProgram;

  beforeAll(async () => {
    program = await programOf(which);
  });

  const run = (args: readonly string[], input?: string): Promise<Run> =>
    runKubectl(product.testbed.cluster, program, ['-n', product.namespace, ...args], input);
  const name = (what: string): string => `${what}-${which.minor.replace('.', '-')}-${which.protocol.toLowerCase()}`;

  test('exec that a signal ends has its exit code', async () => {
    const { code, stderr } = await run(['exec', 'server', '-c', 'main', '--', 'sh', '-c', 'kill -KILL $$']);
    expect({ code, stderr }).toEqual({ code: 137, stderr: 'command terminated with exit code 137\n' });
  });

  test('attach gives input and hands on output until the container has ended', async () => {
    const pod = name('cat');
    // What it wrote last before it ends, attach may lose, on a real node too: it goes on for a moment.
    await reader(pod, { command: ['sh', '-c', 'cat; sleep 1'], stdin: true, stdinOnce: true });
    const { code, stdout } = await run(['attach', '-i', pod, '-q'], 'hello\n');
    expect([code, String(stdout)]).toEqual([0, 'hello\n']);
    await waitPhase(product.kubectl, product.namespace, pod, 'Succeeded');
  });

  test('attach to a container that waits says that it does, and ends', async () => {
    await eventually('the container to wait for its image', async () => {
      const { status } = await product.kubectl.get<Pod>(['pod', 'waiting', '-n', product.namespace]);
      return status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImageNeverPull';
    });
    const { code, stderr } = await run(['attach', '-i', 'waiting', '-q'], 'hello\n');
    expect(stderr).toContain('waiting to start');
    expect(code).toBe(1);
  });

  test('debug adds a container that sees the processes of its target', async () => {
    const container = name('debugger');
    const debug = [
      'debug',
      '-i',
      '-q',
      'web',
      '--image=busybox',
      '--image-pull-policy=IfNotPresent',
      '--target=main',
      '--profile=general',
    ];
    const script = 'read line; tr "\\0" " " < /proc/1/cmdline; echo got $line';
    const { code, stderr } = await run([...debug, '-c', container, '--', 'sh', '-c', script], 'hello\n');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await eventually('the status of the debugger', async () => {
      const { status } = await product.kubectl.get<Pod>(['pod', 'web', '-n', product.namespace]);
      const found = status?.ephemeralContainerStatuses?.find((each) => each.name === container);
      return found?.state?.terminated?.exitCode === 0;
    });
    // Not what kubectl showed: what a container writes last before it ends, attach may lose, on a real node too.
    const said = `/agnhost netexec --http-port=${webPort} --udp-port=-1 got hello\n`;
    expect(await runNewest('logs', 'web', '-c', container)).toBe(said);
  });

  test('port-forward carries 100 connections at once', async () => {
    await using forward = await start('web', [webPort]);
    const requests = Array.from({ length: 100 }, async (_, index) => {
      const message = String(index).repeat(20_000);
      const socket = await forward.open(webPort);
      socket.write(`GET /echo?msg=${message} HTTP/1.0\r\n\r\n`);
      const answer = await text(socket);
      return answer.slice(answer.indexOf('\r\n\r\n') + 4) === message;
    });
    expect(await Promise.all(requests)).toEqual(requests.map(() => true));
  });

  test('port-forward carries what is sent each way, on several ports, and half-closed connections', async () => {
    await using forward = await start('server', [echoPort, answerPort]);
    const { sent, back } = await echoed(await forward.open(echoPort), 100_000);
    expect(back).toBe(sent);
    const socket = await forward.open(answerPort);
    socket.end('life\n');
    expect(await text(socket)).toBe('the answer to life\n');
  });

  test('port-forward to a port where nobody listens says so in the kubelet’s words', async () => {
    await using forward = await start('server', [deafPort]);
    const socket = await forward.open(deafPort);
    expect(await text(socket)).toBe('');
    const said = await forward.ended();
    expect(said).toMatch(new RegExp(`error forwarding port ${deafPort} to pod .*connection refused`));
    expect(said).toContain('lost connection to pod');
  });

  function start(pod: string, ports: readonly number[]): Promise<PortForward> {
    const { testbed, namespace } = product;
    return PortForward.start(testbed.cluster, program, { namespace, pod, ports });
  }
});

describe.each(programs.slice(0, 2))('kubectl $minor over $protocol, with a lot to do', (which) => {
  test('port-forward carries many megabytes each way unchanged', async () => {
    const { testbed, namespace } = product;
    const where = { namespace, pod: 'server', ports: [echoPort] };
    await using forward = await PortForward.start(testbed.cluster, await programOf(which), where);
    const { sent, back } = await echoed(await forward.open(echoPort), transfer);
    expect(back).toBe(sent);
  });
});

describe('kubectl', () => {
  test('attach -it has the container’s terminal, in the size of the user’s', async () => {
    const { testbed, namespace } = product;
    const script = [
      'until [ "$(stty size)" = "33 111" ]; do sleep 0.1; done',
      'read line',
      'test -t 0 && echo "terminal of $(stty size) got $line"',
      // What is written last before the end may be lost.
      'sleep 1',
    ].join('; ');
    await reader('terminal', { command: ['sh', '-c', script], stdin: true, stdinOnce: true, tty: true });
    const attach = `${testbed.cluster.kubectlPath} attach -it -n ${namespace} terminal`;
    const shown = await terminal(testbed.cluster, ['stty rows 33 cols 111', attach], 'hello\n');
    expect(shown).toContain('terminal of 33 111 got hello');
  });

  test('logs of init containers, of the attempt before, and of a pod that has ended', async () => {
    expect(await runNewest('logs', 'server', '-c', 'setup')).toBe('prepared\n');
    expect(await runNewest('logs', 'ended')).toBe('last words\n');
    await eventually('a second attempt', async () => {
      const { status } = await product.kubectl.get<Pod>(['pod', 'crashing', '-n', product.namespace]);
      return (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0;
    });
    expect(await runNewest('logs', 'crashing', '--previous')).toBe('attempt\n');
    const none = await product.kubectl.try(['-n', product.namespace, 'logs', 'server', '-c', 'main', '--previous']);
    expect(none.stderr).toContain('previous terminated container "main" in pod "server" not found');
  });

  test('logs of a pod that has ended say why there is none when its instance was removed, and the pod stays what it is', async () => {
    const { namespace, kubectl, there } = product;
    const { metadata, status } = await waitPhase(kubectl, namespace, 'removed', 'Failed');
    const elsewhere = new Kubectl(there);
    const all = ['pods', '-A', '-l', `spillway.dev/pod-uid=${metadata?.uid}`];
    const [instance] = await elsewhere.list<Pod>(all);
    const at = ['pod', instance?.metadata?.name ?? '', '-n', instance?.metadata?.namespace ?? ''];
    await elsewhere.run(['delete', ...at, '--wait=false']);
    await elsewhere.run(['patch', ...at, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    await eventually('the instance to be gone', async () => (await elsewhere.list<Pod>(all)).length === 0);
    const none = await kubectl.try(['-n', namespace, 'logs', 'removed']);
    expect(none.stderr).toContain(
      'Error from server (BadRequest): the log of container "main" in pod "removed" does not exist anymore: the pod has ended',
    );
    expect((await kubectl.get<Pod>(['pod', 'removed', '-n', namespace])).status).toEqual(status);
  });

  test('cp copies a folder with links in it', async () => {
    const { namespace, kubectl } = product;
    const dir = await mkdtemp(path.join(tmpdir(), 'spillway-cp-'));
    try {
      const from = path.join(dir, 'from');
      await mkdir(path.join(from, 'deep'), { recursive: true });
      await writeFile(path.join(from, 'deep', 'file'), 'content');
      await symlink('deep/file', path.join(from, 'link'));
      await kubectl.run(['cp', from, `${namespace}/server:/tmp/copied`, '-c', 'main']);
      expect(
        await runNewest('exec', 'server', '--', 'sh', '-c', 'readlink /tmp/copied/link; cat /tmp/copied/link'),
      ).toBe('deep/file\ncontent');
      const back = path.join(dir, 'back');
      const { stderr } = await kubectl.try(['cp', `${namespace}/server:/tmp/copied`, back, '-c', 'main']);
      // As from any pod.
      expect(stderr).toContain('skipping symlink');
      expect(await readFile(path.join(back, 'deep', 'file'), 'utf8')).toBe('content');
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
