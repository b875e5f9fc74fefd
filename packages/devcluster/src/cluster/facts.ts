import { statfs } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { ClusterFacts, HostPrograms } from '../components/component.ts';
import { hostProgram } from '../host/report.ts';
import { pkiPaths } from '../pki/cluster-pki.ts';
import type { ClusterRecord } from '../record.ts';

/** Everything that components are made of, once the cluster's network is known. */
export async function gatherFacts(record: ClusterRecord): Promise<ClusterFacts> {
  if (record.network === undefined) throw new Error(`cluster ${record.name} has no network yet`);
  return {
    scope: record.scope,
    dir: record.dir,
    options: record.options,
    binaries: record.binaries,
    ownNetwork: record.ownNetwork,
    ...record.network,
    pki: pkiPaths(record.dir),
    machine: { milliCpu: cpus().length * 1000, memoryBytes: totalmem() },
    host: record.options.node ? await hostPrograms(record.dir) : noPrograms,
  };
}

const noPrograms: HostPrograms = { containerd: '', runc: '', cniDir: '', snapshotter: 'native' };

async function hostPrograms(clusterDir: string): Promise<HostPrograms> {
  return {
    containerd: hostProgram('containerd'),
    runc: hostProgram('runc'),
    cniDir: dirname(hostProgram('containernetworking-plugins')),
    snapshotter: await snapshotterFor(clusterDir),
  };
}

const overlayMagic = 0x794c7630;

/** An overlay on an overlay does not work, as in a container whose root is one. */
async function snapshotterFor(folder: string): Promise<HostPrograms['snapshotter']> {
  return (await statfs(folder)).type === overlayMagic ? 'native' : 'overlayfs';
}
