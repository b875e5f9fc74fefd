import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Region } from '../region.ts';

/** What a client of a region that runs on its own has to know; plain data. */
export interface RegionFactSheet extends Pick<Region, 'endpoint' | 'iamEndpoint' | 'caFile' | 'accounts' | 'admin'> {
  readonly region: string;
  /** Administrator of the control plane behind the gateway */
  readonly kubeconfig: string;
}

export function factSheet(region: Region): RegionFactSheet {
  const { name, endpoint, iamEndpoint, caFile, accounts, admin, cluster } = region;
  return { region: name, endpoint, iamEndpoint, caFile, accounts, admin, kubeconfig: cluster.kubeconfig };
}

/** Messages of a region's process to who started it. */
export type RegionMessage =
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string };

/** Only its owner comes in: whoever reaches the socket gets the credentials. */
export async function stateFolder(): Promise<string> {
  const state = process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  const folder = join(state, 'spillway', 'cci-region');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export function controlSocket(folder: string): string {
  return join(folder, 'control.sock');
}
