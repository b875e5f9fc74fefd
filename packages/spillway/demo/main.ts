import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Cluster } from '@spillway/devcluster';
import { canRunContainers, DevClusterError, startCluster } from '@spillway/devcluster';
import type { Pod } from '@spillway/kube';
import { Testbed } from '../testbed/testbed.ts';
import { residue } from '../testbed/residue.ts';
import { say, show } from './narrator.ts';

const manifest = path.join(import.meta.dirname, 'deployment.yaml');

const { values: flags } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, name: { type: 'string', default: 'demo' } },
});

await using stack = new AsyncDisposableStack();
let interrupted = false;
/** From here on the components of the cluster end, which is no news. */
let ending = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true;
    ending = true;
    say('Stopping: everything that the demo made is removed.');
    stack.disposeAsync().then(
      () => process.exit(130),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  });
}

try {
  await demo();
} catch (error) {
  if (!interrupted) {
    const text =
      error instanceof DevClusterError ? error.message : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`\nThe demo failed: ${text}\n`);
    process.exitCode = 1;
  }
}

async function demo(): Promise<void> {
  const containers = await canRunContainers();
  if (containers.possible) {
    say('Spillway demo: a real Kubernetes cluster, one small real node, real containers behind a virtual node.');
  } else {
    say(`Spillway demo on the SIMULATED backend: no container is started, because ${containers.reason}.`);
  }

  const cluster = await startCluster({
    name: flags.name,
    ...(containers.possible ? { node: { cpu: '2' }, pool: true } : { node: false }),
    keep: flags.keep,
    log: (line) => {
      if (!ending) say(line);
    },
  });
  if (!flags.keep) stack.use(cluster);

  const testbed = await Testbed.create({ cluster, backend: containers.possible ? 'cri' : 'simulated' });
  if (!flags.keep) stack.use(testbed);
  await testbed.start();
  say(`Spillway serves the virtual node "${testbed.nodeName}".`);
  await show(cluster, ['get', 'nodes', '-o', 'wide']);

  await burst(cluster, testbed);
  if (flags.keep) explainHowToGoOn(cluster, testbed);
  else await scaleToZero(cluster, testbed);
}

async function burst(cluster: Cluster, testbed: Testbed): Promise<void> {
  say(
    cluster.nodeName === undefined
      ? '20 replicas of half a CPU: there is no real node here, so all of them burst.'
      : '20 replicas of half a CPU: what fits stays on the real node, the rest overflows.',
  );
  await show(cluster, ['apply', '-f', manifest]);
  const asked = performance.now();
  await cluster.kubectl(['rollout', 'status', 'deployment/test-vk', '--timeout=240s']);
  say(`All 20 are Ready, ${((performance.now() - asked) / 1000).toFixed(1)} s after they were asked for.`);
  await show(cluster, ['get', 'pods', '-o', 'wide', '--sort-by=.spec.nodeName']);

  const pods = JSON.parse((await cluster.kubectl(['get', 'pods', '-o', 'json'])).stdout) as { items: Pod[] };
  const burstPod = pods.items.find((pod) => pod.spec?.nodeName === testbed.nodeName)?.metadata?.name;
  if (burstPod === undefined) throw new Error(`no pod runs on ${testbed.nodeName}`);
  say('A burst pod is a pod: logs, exec, events.');
  await show(cluster, ['logs', burstPod, '--timestamps']);
  await show(cluster, ['exec', burstPod, '--', '/bin/sh', '-c', 'hostname; ps']);
  await show(cluster, ['describe', 'pod', burstPod], (text) => text.slice(text.indexOf('Events:')));
  await show(cluster, ['describe', 'node', testbed.nodeName], (text) =>
    text.replace(/Non-terminated Pods:[^]*?(?=Allocated resources:)/, ''),
  );
}

async function scaleToZero(cluster: Cluster, testbed: Testbed): Promise<void> {
  say('Scale to zero: the containers end, and nothing of them stays behind.');
  await show(cluster, ['scale', 'deployment/test-vk', '--replicas=0']);
  await cluster.kubectl(['wait', '--for=delete', 'pod', '-l', 'app=test-vk', '--timeout=120s']);
  await show(cluster, ['get', 'pods']);
  if (cluster.pool) {
    const left = await residue(testbed);
    const counts = Object.entries(left).map(([kind, items]) => `${kind} ${(items as string[]).length}`);
    say(`Left on the machine, read from containerd, the network and the disk: ${counts.join(', ')}.`);
    if (Object.values(left).some((items) => (items as string[]).length > 0)) {
      throw new Error(`something was left behind: ${JSON.stringify(left)}`);
    }
  }
  ending = true;
  await stack.disposeAsync();
  say('Done. The cluster and everything else that the demo made is gone.');
}

function explainHowToGoOn(cluster: Cluster, testbed: Testbed): void {
  process.stdout.write(`
The cluster is yours:

  export KUBECONFIG=${cluster.kubeconfig}
  kubectl get pods -o wide
  kubectl scale deployment/test-vk --replicas=30

Spillway's log:    ${testbed.logFile}
Its configuration: ${testbed.configFile}
Stop everything:   npx spillway dev down ${cluster.name}
`);
}
