import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { goPlatform } from '../binaries/catalogue.ts';
import { bootstrapObjects } from '../components/bootstrap.ts';
import { programPath, serverUrl, type ClusterFacts } from '../components/component.ts';
import type { ComponentName } from '../components/names.ts';
import { DevClusterError, errorMessage } from '../errors.ts';
import { exec } from '../exec.ts';
import { http } from '../host/http.ts';
import { clusterImages } from '../images/catalogue.ts';
import { buildImage } from '../images/oci.ts';
import { pushImage } from '../images/push.ts';
import { parseJson } from '../json.ts';
import { Authority } from '../pki/authority.ts';
import type { ComponentRunner } from './component-runner.ts';
import { logPath } from './launch.ts';

/** Ends in a row without ever having been ready after which a component is given up. */
const crashLimit = 5;
const logTailBytes = 3_000;

/**
 * Starts the components, each as soon as those are ready that it needs, and resolves when the whole cluster is usable:
 * its first objects and images are there, pods can be created, the node is Ready. Rejects with the first thing that
 * cannot be, when all the waiting for others has ended too.
 */
export async function becomeReady(
  facts: ClusterFacts,
  runners: ReadonlyMap<ComponentName, ComponentRunner>,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const started = new Map<ComponentName, Promise<void>>();
  const after = async (name: ComponentName, work: () => Promise<void>): Promise<void> => {
    await started.get(name);
    await work();
  };
  let applied: Promise<void> | undefined;
  const objects = (): Promise<void> => (applied ??= after('kube-apiserver', () => applyBootstrap(facts)));
  for (const [name, runner] of runners) {
    // The plan has everything after what it needs.
    const needs = runner.spec.after.flatMap((need) => started.get(need) ?? []);
    if (runner.spec.afterObjects) needs.push(objects());
    started.set(
      name,
      Promise.all(needs).then(() => startFirst(facts.dir, runner, either)),
    );
  }
  const tasks = [
    ...started.values(),
    objects(),
    after('kube-controller-manager', () =>
      untilUsable(facts, '/api/v1/namespaces/default/serviceaccounts/default', () => true, either),
    ),
    ...(facts.options.node ? [after('registry', () => pushImages(facts, log))] : []),
    ...(facts.options.node
      ? [after('kubelet', () => untilUsable(facts, `/api/v1/nodes/${facts.options.node?.name}`, isNodeReady, either))]
      : []),
    // Until then whoever asks the API server what it has is told of a failure.
    ...(facts.options.node?.metricsServer
      ? [after('metrics-server', () => untilUsable(facts, '/apis/metrics.k8s.io/v1beta1', () => true, either))]
      : []),
  ];
  try {
    await Promise.all(tasks);
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(tasks);
    throw error;
  }
}

/** Waits for the first readiness; a component that keeps ending before is given up with the last lines of its log. */
async function startFirst(clusterDir: string, runner: ComponentRunner, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const start = runner.start(AbortSignal.any([signal, done.signal]));
  const watch = async (): Promise<void> => {
    while (!done.signal.aborted) {
      const { state } = runner;
      if (state.phase === 'backoff' && state.crashes >= crashLimit) {
        const path = logPath(clusterDir, runner.spec.name);
        throw new DevClusterError(
          'startup',
          `${runner.spec.name} does not start. The end of its log:\n${await tail(path)}`,
        );
      }
      await delay(100);
    }
  };
  try {
    await Promise.race([start, watch()]);
  } finally {
    done.abort();
  }
}

async function applyBootstrap(facts: ClusterFacts): Promise<void> {
  const objects = bootstrapObjects(facts, await readFile(facts.pki.cert('ca'), 'utf8'));
  const kubeconfig = facts.pki.kubeconfig('admin');
  // To validate, kubectl would have the API server make the document of all its types first.
  const args = [`--kubeconfig=${kubeconfig}`, 'apply', '--server-side', '--validate=false', '--filename=-'];
  const { code, stderr } = await exec(programPath(facts, 'kubectl'), args, { input: objects });
  if (code !== 0) throw new DevClusterError('startup', `the cluster's first objects were refused: ${stderr.trim()}`);
}

async function pushImages(facts: ClusterFacts, log: (line: string) => void): Promise<void> {
  const { arch } = goPlatform(process.platform, process.arch);
  for (const { names, spec } of await clusterImages(facts)) {
    const image = buildImage(spec, arch);
    for (const name of names) await pushImage(`${facts.nodeAddress}:${facts.ports.registry}`, name, image);
  }
  log('registry: images are there');
}

async function untilUsable(
  facts: ClusterFacts,
  path: string,
  usable: (object: NodeLike) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const ca = await readFile(facts.pki.cert('ca'), 'utf8');
  const authority = await Authority.load({ cert: ca, key: await readFile(facts.pki.key('ca'), 'utf8') });
  const identity = await authority.issue({
    commonName: 'spillway-devcluster',
    organizations: ['system:masters'],
    days: 1,
  });
  for (;;) {
    signal.throwIfAborted();
    try {
      const response = await http(`${serverUrl(facts)}${path}`, { ca, ...identity, signal });
      if (response.status === 200 && usable(parseJson<NodeLike>(response.body))) return;
    } catch (error) {
      if (signal.aborted) throw new Error(`gave up waiting for ${path}: ${errorMessage(error)}`, { cause: error });
    }
    await delay(100);
  }
}

interface NodeLike {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function isNodeReady(node: NodeLike): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

async function tail(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - logTailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(logTailBytes), 0, logTailBytes, start);
    return buffer.subarray(0, bytesRead).toString().trim();
  } finally {
    await file.close();
  }
}
