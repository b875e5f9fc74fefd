import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Cluster, resolveVirtualKubelet } from '@spillway/devcluster';
import type { Contestant } from './contestant.ts';
import { startOtherProcess } from './other-process.ts';

const nodeName = 'bench-virtual-kubelet';

/** Starts Virtual Kubelet with its mock provider, everything else as it comes. */
export async function startVirtualKubelet(cluster: Cluster): Promise<Contestant> {
  const program = await resolveVirtualKubelet();
  const dir = path.join(cluster.dir, nodeName);
  await mkdir(dir, { recursive: true });
  const { cert, key } = await cluster.issue({ commonName: nodeName, ipAddresses: [cluster.nodeAddress] });
  const files = {
    cert: path.join(dir, 'cert.pem'),
    key: path.join(dir, 'key.pem'),
    provider: path.join(dir, 'mock.json'),
  };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key, { mode: 0o600 });
  await writeFile(files.provider, JSON.stringify({ [nodeName]: { cpu: '100k', memory: '1Pi', pods: '100k' } }));
  return await startOtherProcess(cluster, {
    nodeName,
    program,
    args: [
      `--kubeconfig=${cluster.kubeconfig}`,
      `--nodename=${nodeName}`,
      '--provider=mock',
      `--provider-config=${files.provider}`,
    ],
    env: {
      APISERVER_CERT_LOCATION: files.cert,
      APISERVER_KEY_LOCATION: files.key,
      VKUBELET_POD_IP: cluster.nodeAddress,
    },
  });
}
