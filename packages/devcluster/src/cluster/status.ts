import { currentEnvironment } from '../environment.ts';
import { pkiPaths } from '../pki/cluster-pki.ts';
import { serverUrl } from '../components/component.ts';
import { readRecords, type ClusterRecord } from '../record.ts';
import { control, type ComponentStatus, type ControlStatus } from '../supervisor/control.ts';
import { removeAbandoned } from './down.ts';

export interface ClusterStatus {
  readonly name: string;
  readonly state: 'starting' | 'ready' | 'unreachable';
  readonly dir: string;
  readonly createdAt: string;
  readonly keep: boolean;
  readonly server?: string;
  readonly nodeAddress?: string;
  readonly kubeconfig?: string;
  readonly node?: string;
  readonly components: readonly ComponentStatus[];
}

/** All clusters of this user. What is left of killed ones is removed first. */
export async function statusOfClusters(): Promise<ClusterStatus[]> {
  const environment = currentEnvironment();
  await removeAbandoned(environment, () => {});
  return Promise.all((await readRecords(environment.clustersDir)).map(statusOf));
}

async function statusOf(record: ClusterRecord): Promise<ClusterStatus> {
  const components = await control<ControlStatus>(record.dir, 'GET', 'status').then(
    (status) => status.components,
    () => undefined,
  );
  const ready = record.readyAt !== undefined;
  return {
    name: record.name,
    state: components === undefined && ready ? 'unreachable' : ready ? 'ready' : 'starting',
    dir: record.dir,
    createdAt: record.createdAt,
    keep: record.options.keep,
    ...(record.network
      ? {
          server: serverUrl(record.network),
          nodeAddress: record.network.nodeAddress,
          kubeconfig: pkiPaths(record.dir).kubeconfig('admin'),
        }
      : {}),
    ...(record.options.node ? { node: record.options.node.name } : {}),
    components: components ?? [],
  };
}
