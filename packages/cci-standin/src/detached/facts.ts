import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { peerOf } from '@spillway/devcluster';
import type { NodeForm } from '../node/configuration.ts';
import type { Region } from '../region.ts';

/** Of the control plane of a region that runs on its own; there is one. */
export const clusterName = 'cci-region';

/** What such a region is started with; plain data. */
export interface DetachedOptions {
  /** Where clients reach it. Default: 127.0.0.1 */
  readonly host: string;
  readonly node: 'none' | NodeForm;
  /** Command line of Spillway's program, which is the simulated node. Default: `spillway` as it is installed */
  readonly program: readonly string[];
}

/** What a client of a region that runs on its own has to know; plain data. */
export interface RegionFactSheet extends Pick<Region, 'endpoint' | 'iamEndpoint' | 'caFile' | 'accounts' | 'admin'> {
  readonly region: string;
  readonly swr: { readonly host: string; readonly endpoint: string; readonly apiEndpoint: string };
  /** Administrator of the control plane behind the gateway */
  readonly kubeconfig: string;
  readonly node: NodeFacts;
  readonly pid: number;
  /** Path of the file with the output of its process */
  readonly log: string;
}

export type NodeFacts =
  | { readonly form: 'none' }
  | {
      readonly form: NodeForm;
      /** Whether it looks after its pods */
      readonly ready: boolean;
      readonly podCidr: string;
      /** Path of the file with the output of its program */
      readonly log: string;
      /** The cluster whose pods reach those of the region */
      readonly connectedTo?: string;
    };

export async function factSheet(region: Region): Promise<RegionFactSheet> {
  const { name, endpoint, iamEndpoint, caFile, accounts, admin, cluster, swr } = region;
  return {
    region: name,
    endpoint,
    iamEndpoint,
    caFile,
    accounts,
    admin,
    swr: { host: swr.host, endpoint: swr.endpoint, apiEndpoint: swr.apiEndpoint },
    kubeconfig: cluster.kubeconfig,
    node: await nodeFacts(region),
    pid: process.pid,
    log: await logFile(),
  };
}

async function nodeFacts({ node, cluster }: Region): Promise<NodeFacts> {
  if (node === undefined) return { form: 'none' };
  const { form, podCidr, log } = node;
  const [ready, connectedTo] = await Promise.all([node.isReady(), peerOf(cluster)]);
  return { form, ready, podCidr, log, ...(connectedTo === undefined ? {} : { connectedTo }) };
}

/** Messages of a region's process to who started it. */
export type RegionMessage =
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string };

export async function controlSocket(): Promise<string> {
  return join(await stateFolder(), 'control.sock');
}

export async function logFile(): Promise<string> {
  return join(await stateFolder(), 'log');
}

/** Only its owner comes in: whoever reaches the socket gets the credentials. */
async function stateFolder(): Promise<string> {
  const state = process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  const folder = join(state, 'spillway', 'cci-region');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}
