import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RegionError } from '@spillway/cci-standin';
import type { Cluster } from '@spillway/devcluster';
import { canRunContainers, DevClusterError, startCluster } from '@spillway/devcluster';
import { Testbed } from '../testkit/testbed.ts';
import { provideAgent, showBothSides } from './both-sides.ts';
import { say, show } from './narrator.ts';
import { ownRegion, regionToKeep } from './region.ts';
import { burst, examine, runPrivateJob, scaleIn, scaleToZero, showInstalled, showUsage } from './story.ts';

const { values: flags } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, name: { type: 'string', default: 'demo' } },
});

/** Where npm links `spillway`. */
const programs = join(import.meta.dirname, '../../../node_modules/.bin');

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
      error instanceof DevClusterError || error instanceof RegionError
        ? error.message
        : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`\nThe demo failed: ${text}\n`);
    process.exitCode = 1;
  }
}

async function demo(): Promise<void> {
  const containers = await canRunContainers();
  if (containers.possible) {
    say(
      'Spillway demo: a real Kubernetes cluster with one small node, and a CCI region on this machine with real containers.',
    );
  } else {
    say(`Spillway demo with SIMULATED containers, because ${containers.reason}.`);
  }
  const log = (line: string): void => {
    if (!ending) say(line);
  };
  const cluster = await startCluster({
    name: flags.name,
    node: containers.possible ? { cpu: '2', metricsServer: true } : false,
    keep: flags.keep,
    log,
  });
  if (!flags.keep) stack.use(cluster);
  const regionOptions = { cluster, containers: containers.possible, log };
  const region = flags.keep ? undefined : stack.use(await ownRegion(regionOptions));
  const at = region ?? (await regionToKeep(regionOptions));
  const agentImage = region && containers.possible ? await provideAgent(region) : undefined;
  const testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at }, advice: true, agentImage });
  if (!flags.keep) stack.use(testbed);
  await showInstalled(cluster);
  await testbed.start();
  say(`Spillway serves the virtual node "${testbed.nodeName}".`);
  await show(cluster, ['get', 'nodes', '-o', 'wide']);
  await examine(cluster, testbed);

  await burst(cluster, testbed);
  if (region === undefined) {
    explainHowToGoOn(cluster, testbed);
    return;
  }
  if (containers.possible) {
    await runPrivateJob(cluster, region);
    await showBothSides(cluster);
    await showUsage(cluster, testbed);
  }
  await scaleIn(cluster);
  await scaleToZero(cluster, testbed, region);
  ending = true;
  await stack.disposeAsync();
  say('Done. The cluster, the region and everything else that the demo made is gone.');
}

function explainHowToGoOn(cluster: Cluster, testbed: Testbed): void {
  process.stdout.write(`
The cluster is yours:

  export PATH=${programs}:$PATH
  export KUBECONFIG=${cluster.kubeconfig}
  kubectl get pods -o wide
  kubectl scale deployment/test-vk --replicas=30

Spillway's log:    ${testbed.logFile}
Its configuration: ${testbed.configFile}
What is billed:    spillway ledger --config ${testbed.configFile}
                   spillway cci-region meter
Stop everything:   spillway dev down ${cluster.name}; spillway cci-region down
`);
}
