import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Region } from '@spillway/cci-standin';
import { buildImage, busyboxFiles, type Cluster } from '@spillway/devcluster';
import type { Deployment, Job, Pod } from '@spillway/kube';
import type { Report } from '../src/ledger/report.ts';
import { burstLabelOf, burstLabels } from '../src/podspec/contract.ts';
import { counted } from '../src/podspec/words.ts';
import { disagreements } from '../testkit/compare-bills.ts';
import { outputOf, show } from './commands.ts';
import { say } from './narrator.ts';
import type { Product } from './product.ts';

/** The manifest of the CCE user guide, verbatim. */
const manifest = path.relative('', path.join(import.meta.dirname, 'test-vk.yaml'));
const ofDeployment = ['-l', 'app=test-vk'];

/** What Spillway finds before the first pod. */
export async function examine(cluster: Cluster, product: Product): Promise<void> {
  await outputOf(cluster, [
    'kubectl',
    'wait',
    '--for=condition=BackendPrepared',
    `node/${product.nodeName}`,
    '--timeout=60s',
  ]);
  await admissionAnswers(cluster);
  say(
    'Its namespace and network in CCI are there. Credentials, clock, namespace, network, registry: is the way to CCI free?',
  );
  await show(cluster, ['spillway', 'doctor', '--config', product.configFile], { mayFind: true });
}

/** Applies the manifest and shows that all of its pods run, and where. */
export async function burst(cluster: Cluster, product: Product): Promise<void> {
  say(
    cluster.nodeName === undefined
      ? "The guide's 20 replicas of half a CPU: there is no real node here, so all of them burst."
      : "The guide's 20 replicas of half a CPU, labelled auto: the real node has room for a few, the rest bursts.",
  );
  await show(cluster, ['spillway', 'plan', '-f', manifest], { mayFind: true });
  const asked = performance.now();
  await show(cluster, ['kubectl', 'apply', '-f', manifest]);
  await outputOf(cluster, ['kubectl', 'rollout', 'status', 'deployment/test-vk', '--timeout=240s']);
  say(`All 20 are Ready, ${((performance.now() - asked) / 1000).toFixed(1)} s after they were asked for.`);
  await show(cluster, ['kubectl', 'get', 'pods', '-o', 'wide', '--sort-by=.spec.nodeName']);
  say(byNode(await pods(cluster)));

  const burstPod = (await pods(cluster)).find(({ spec }) => spec?.nodeName === product.nodeName)?.metadata?.name;
  if (burstPod === undefined) throw new Error(`no pod runs on ${product.nodeName}`);
  say("A burst pod is a pod: exec, logs, events. The guide's container prints nothing, so exec writes into its log.");
  const greeting = 'echo "hello from $HOSTNAME" > /proc/1/fd/1';
  await show(cluster, ['kubectl', 'exec', burstPod, '--', '/bin/bash', '-c', `${greeting}; ps`]);
  await show(cluster, ['kubectl', 'logs', burstPod, '--timestamps']);
  await show(cluster, ['kubectl', 'describe', 'pod', burstPod], {
    excerpt: (text) => text.slice(text.indexOf('Events:')),
  });
  await show(cluster, ['spillway', 'why', `pod/${burstPod}`], { mayFind: true });
}

/** What the pods use, as metrics-server knows it from both nodes. */
export async function showUsage(cluster: Cluster, product: Product): Promise<void> {
  say(
    'What they use: metrics-server scrapes the virtual node like any other, every 15 s, and tells the use between two scrapes.',
  );
  const all = await pods(cluster);
  const deadline = performance.now() + 120_000;
  for (;;) {
    const [top, nodes] = await Promise.all([
      cluster.kubectl(['top', 'pods', '--no-headers', ...ofDeployment]),
      cluster.kubectl(['top', 'nodes', '--no-headers', product.nodeName]),
    ]);
    if (nodes.code === 0 && top.stdout.trim().split('\n').length === all.length) break;
    if (performance.now() > deadline) throw new Error(`nobody knows what all pods use: ${top.stderr}${nodes.stderr}`);
    await setTimeout(500);
  }
  await show(cluster, ['kubectl', 'top', 'pods', ...ofDeployment], {
    excerpt: (text) => `${text.split('\n').slice(0, 5).join('\n')}\n…\n`,
  });
  await show(cluster, ['kubectl', 'top', 'nodes']);
}

/** A Job that may run in CCI alone, of an image that only the account may pull. */
export async function runPrivateJob(cluster: Cluster, region: Region): Promise<void> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const image = await region.swr.push('team/report:1', buildImage({ entries: await busyboxFiles() }, architecture));
  say('A Job with "enforce" and a private image: its login is computed from the access key.');
  await apply(cluster, job(image));
  await outputOf(cluster, ['kubectl', 'wait', '--for=condition=Complete', 'job/report', '--timeout=120s']);
  await show(cluster, ['kubectl', 'get', 'pods', '-l', 'job-name=report', '-o', 'wide']);
  await show(cluster, ['kubectl', 'logs', 'job/report']);
  await show(cluster, ['kubectl', 'describe', 'pod', '-l', 'job-name=report'], {
    excerpt: (text) => text.slice(text.indexOf('Events:')),
  });
}

function job(image: string): Job {
  const command = ['sh', '-c', 'echo "a report by $(hostname)"; nslookup kubernetes.default.svc.cluster.local'];
  const resources = { requests: { cpu: '250m', memory: '512Mi' } };
  const spec = { restartPolicy: 'Never', containers: [{ name: 'main', image, command, resources }] };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'report', labels: { [burstLabels[0]]: 'enforce' } },
    spec: { template: { spec } },
  };
}

/** Fewer replicas: shows that burst pods go first. Does not wait until they are gone. */
export async function scaleIn(cluster: Cluster): Promise<void> {
  say('Scale-in: burst pods go first, because their deletion cost is lower.');
  say(`Before: ${byNode(await pods(cluster))}`);
  await scale(cluster, 8);
  const all = await pods(cluster);
  const staying = all.filter((pod) => !isLeaving(pod));
  say(`After:  ${byNode(staying)} ${all.length - staying.length} pods are going.`);
}

/** No replicas: shows that nothing is billed any more. */
export async function scaleToZero(cluster: Cluster, product: Product, region: Region): Promise<void> {
  say('Scale to zero: the instances end, and nothing of them is billed any more.');
  await scale(cluster, 0);
  await gone(cluster);
  await show(cluster, ['kubectl', 'delete', 'job', 'report', '--ignore-not-found']);
  await show(cluster, ['kubectl', 'get', 'pods']);
  const reading = await region.meter.read();
  await show(cluster, product.ledger());
  const report = await outputOf(cluster, product.ledger('--by', 'pod', '-o', 'json'));
  const differences = disagreements(JSON.parse(report) as Report, reading);
  if (reading.running > 0 || differences.length > 0) {
    throw new Error(`${reading.running} are billed; ledger and meter differ: ${differences.join('; ')}`);
  }
  const seconds = reading.bills.reduce((sum, bill) => sum + bill.seconds, 0);
  say(
    `The region's meter: 0 running, ${counted(reading.bills.length, 'pod')} billed for ${seconds.toFixed(0)} s. It agrees with the ledger.`,
  );
}

/** Resolves when the pods that have to go know it. */
async function scale(cluster: Cluster, replicas: number): Promise<void> {
  await show(cluster, ['kubectl', 'scale', 'deployment/test-vk', `--replicas=${replicas}`]);
  const chosen = `--for=jsonpath={.status.replicas}=${replicas}`;
  await outputOf(cluster, ['kubectl', 'wait', chosen, 'replicaset', ...ofDeployment, '--timeout=60s']);
}

async function gone(cluster: Cluster): Promise<void> {
  const leaving = await pods(cluster);
  // The simulated backend hears SIGTERM: its pods may be gone already.
  if (leaving.length === 0) return;
  say("The guide's container does not react to SIGTERM, so its pods take their grace period of 30 s to end.");
  const names = leaving.map(({ metadata }) => `pod/${metadata?.name ?? ''}`);
  await outputOf(cluster, ['kubectl', 'wait', '--for=delete', ...names, '--timeout=120s']);
}

const isLeaving = ({ metadata }: Pod): boolean => metadata?.deletionTimestamp !== undefined;

/** The API server takes up policies, and whom to trust as a webhook, some seconds after they were written. */
async function admissionAnswers(cluster: Cluster): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const { code, stdout, stderr } = await cluster.kubectl(['apply', '-f', manifest, '--dry-run=server', '-o', 'json']);
    if (code === 0 && stderr.includes('Warning:')) {
      const { spec } = JSON.parse(stdout) as Deployment;
      if (burstLabelOf(spec?.template.metadata?.labels).kind === 'valid') return;
    }
    if (performance.now() > deadline) throw new Error(`admission does not answer: ${stderr}${stdout}`);
    await setTimeout(200);
  }
}

async function pods(cluster: Cluster): Promise<readonly Pod[]> {
  return (
    JSON.parse(await outputOf(cluster, ['kubectl', 'get', 'pods', ...ofDeployment, '-o', 'json'])) as { items: Pod[] }
  ).items;
}

/** For example "4 pods on node-1, 16 pods on virtual-kubelet." */
function byNode(list: readonly Pod[]): string {
  const nodes = Map.groupBy(list, ({ spec }) => spec?.nodeName ?? 'no node');
  const sorted = [...nodes].toSorted(([one], [other]) => one.localeCompare(other));
  return `${sorted.map(([node, { length }]) => `${counted(length, 'pod')} on ${node}`).join(', ')}.`;
}

function apply(cluster: Cluster, object: object): Promise<string> {
  return outputOf(cluster, ['kubectl', 'apply', '-f', '-'], JSON.stringify(object));
}

/** Removes Spillway, and shows that nothing of it is left on either side. */
export async function uninstall(cluster: Cluster, product: Product, region: Region): Promise<void> {
  say('Spillway goes, with everything that it has in the cluster and in CCI.');
  await product.stop();
  await show(cluster, ['spillway', 'uninstall', '--config', product.configFile, '--yes']);
  await show(cluster, ['kubectl', 'get', 'nodes']);
  const { running } = await region.meter.read();
  const namespaces = await outputOf(region.cluster, ['kubectl', 'get', 'namespaces', '-o', 'name']);
  if (running > 0 || namespaces.includes('/cce-burst-')) {
    throw new Error(`${running} are billed after the end; namespaces of CCI: ${namespaces}`);
  }
  say("The region's meter: 0 running. Its only namespaces are those that it had before.");
}
