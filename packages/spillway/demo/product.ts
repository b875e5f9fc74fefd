import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Cluster, type Image, pushImage } from '@spillway/devcluster';
import { stringify } from 'yaml';
import { productVersion } from '../image/images.ts';
import { configFile as fileInPods, stateFolder } from '../src/addon/installation/installed-config.ts';
import { cciPool } from '../testkit/cci-pool.ts';
import { Testbed } from '../testkit/testbed.ts';
import { show, type Words } from './commands.ts';
import { say } from './narrator.ts';

/** Spillway as it serves in the demo. */
export interface Product {
  readonly nodeName: string;
  /** On this machine, for commands. */
  readonly configFile: string;
  readonly logs: string;
  /** The ledger is a file of whoever serves. */
  readonly ledger: (...options: readonly string[]) => Words;
  /** Before `spillway uninstall`, which stops what runs in the cluster by itself. */
  readonly stop: () => Promise<void>;
}

interface ProductOptions {
  readonly cluster: Cluster;
  /** The region of its pool. */
  readonly at: Parameters<typeof cciPool>[0];
}

interface InstallOptions extends ProductOptions {
  readonly image: Image;
  /** Name of the link agent's image where pods of the region find it; absent: they reach no Services of the cluster. */
  readonly agentImage: string | undefined;
}

const nodeName = 'virtual-kubelet';
const namespace = 'spillway-system';
const deployment = 'deployment/spillway';

/** Installs Spillway in the cluster, as users do. */
export async function installProduct({ cluster, at, image, agentImage }: InstallOptions): Promise<Product> {
  const name = `docker.io/library/spillway:${await productVersion()}`;
  await pushImage(cluster.registry, name, image);
  const folder = path.join(cluster.dir, 'spillway');
  await mkdir(folder, { recursive: true });
  const configFile = path.join(folder, 'spillway.yaml');
  const pool = {
    name: 'cci',
    nodeName,
    capacity: { cpu: '64', memory: '256Gi', pods: '200' },
    servingCertificate: { csr: { approve: true } },
    ...(agentImage === undefined ? {} : { interconnect: 'agent' }),
    dns: { clusterDNS: [cluster.nodeAddress], clusterDomain: 'cluster.local' },
    backend: await cciPool(at, folder),
  };
  const link = agentImage === undefined ? {} : { link: { image: agentImage } };
  await writeFile(configFile, stringify({ ...link, ledger: { directory: stateFolder }, pools: [pool] }));
  say('Spillway comes into the cluster as a user brings it there: from its image, with a configuration file.');
  await show(cluster, ['spillway', 'install', '--config', configFile, '--image', name, '--pods', '200']);
  await show(cluster, ['kubectl', 'get', 'pods', '-n', namespace, '-o', 'wide']);
  return {
    nodeName,
    configFile,
    logs: `kubectl logs -n ${namespace} ${deployment} -f`,
    ledger: (...options) => {
      const inPod = ['exec', '-n', namespace, deployment, '--'];
      return ['kubectl', ...inPod, 'spillway', 'ledger', '--config', fileInPods, ...options];
    },
    stop: () => Promise.resolve(),
  };
}

/** A cluster without a node has nothing on which a pod could run: Spillway is a process on this machine. */
export async function startProduct(
  { cluster, at, keep }: ProductOptions & { readonly keep: boolean },
  undo: AsyncDisposableStack,
): Promise<Product> {
  const testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at }, advice: true });
  if (!keep) undo.use(testbed);
  await testbed.start();
  const { configFile } = testbed;
  return {
    nodeName: testbed.nodeName,
    configFile,
    logs: `tail -f ${testbed.logFile}`,
    ledger: (...options) => ['spillway', 'ledger', '--config', configFile, ...options],
    stop: async () => void (await testbed.stop()),
  };
}

/** What is in the cluster besides the virtual node. */
export async function showInstalled(cluster: Cluster, product: Product): Promise<void> {
  say('In the cluster: the ScheduleProfile kind, the rights of "spillway serve", and the rules of who bursts.');
  const kinds =
    'crds,clusterroles,mutatingadmissionpolicies,validatingadmissionpolicies,validatingwebhookconfigurations';
  await show(cluster, ['kubectl', 'get', kinds, '-l', 'app.kubernetes.io/managed-by=spillway', '-o', 'name']);
  say(`Spillway serves the virtual node "${product.nodeName}".`);
  await show(cluster, ['kubectl', 'get', 'nodes', '-o', 'wide']);
}
