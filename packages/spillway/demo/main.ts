import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RegionError } from '@spillway/cci-standin';
import type { Cluster } from '@spillway/devcluster';
import { canRunContainers, DevClusterError, startCluster } from '@spillway/devcluster';
import { productImage } from '../image/images.ts';
import { showBothSides } from './both-sides.ts';
import { say } from './narrator.ts';
import { installProduct, type Product, showInstalled, startProduct } from './product.ts';
import { ownRegion, regionToKeep } from './region.ts';
import { burst, examine, runPrivateJob, scaleIn, scaleToZero, showUsage, uninstall } from './story.ts';

const { values: flags } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, name: { type: 'string', default: 'demo' } },
});

/** Where npm links `spillway`. */
const programs = join(import.meta.dirname, '../../../node_modules/.bin');

await using stack = new AsyncDisposableStack();
const interrupted = new AbortController();
/** From here on the components of the cluster end, which is no news. */
let ending = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted.abort();
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
  if (!interrupted.signal.aborted) {
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
  const build = { report: say, signal: interrupted.signal };
  const image = containers.possible ? await productImage('spillway', build) : undefined;
  const agent = containers.possible && !flags.keep ? await productImage('spillway-link-agent', build) : undefined;
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
  const agentImage = region && agent && (await region.swr.push('team/spillway-link-agent:1', agent));
  const product = image
    ? await installProduct({ cluster, at, image, agentImage })
    : await startProduct({ cluster, at, keep: flags.keep }, stack);
  await showInstalled(cluster, product);
  await examine(cluster, product);

  await burst(cluster, product);
  if (region === undefined) {
    explainHowToGoOn(cluster, product);
    return;
  }
  if (containers.possible) {
    await runPrivateJob(cluster, region);
    await showBothSides(cluster);
    await showUsage(cluster, product);
  }
  await scaleIn(cluster);
  await scaleToZero(cluster, product, region);
  await uninstall(cluster, product, region);
  ending = true;
  await stack.disposeAsync();
  say('Done. The cluster, the region and everything else that the demo made is gone.');
}

function explainHowToGoOn(cluster: Cluster, product: Product): void {
  process.stdout.write(`
The cluster is yours:

  export PATH=${programs}:$PATH
  export KUBECONFIG=${cluster.kubeconfig}
  kubectl get pods -o wide
  kubectl scale deployment/test-vk --replicas=30

Spillway's log:    ${product.logs}
Its configuration: ${product.configFile}
What is billed:    ${product.ledger().join(' ')}
                   spillway cci-region meter
Remove Spillway:   spillway uninstall --config ${product.configFile}
Stop everything:   spillway dev down ${cluster.name}; spillway cci-region down
`);
}
