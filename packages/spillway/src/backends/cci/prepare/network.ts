import type { KubeObject } from '@spillway/kube';
import { BackendError } from '../../backend.ts';
import type { CciDialect, NetworkSettings } from '../dialects.ts';

export interface Network extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export const networkName = 'spillway';

export function makeNetwork(
  { network }: CciDialect,
  namespace: string,
  settings: NetworkSettings,
): KubeObject & { spec: object } {
  return {
    apiVersion: network.apiVersion,
    kind: network.kind,
    metadata: {
      name: networkName,
      namespace,
      annotations: { ...network.fixedAnnotations, ...network.annotations(settings) },
    },
    spec: network.spec(settings),
  };
}

export type NetworkChoice =
  | { readonly kind: 'use'; readonly network: Network }
  | { readonly kind: 'create' }
  | { readonly kind: 'refuse'; readonly error: BackendError };

/** A namespace has one network, and pods stay in the one they were made in. */
export function chooseNetwork(
  { network: { subnetOf } }: CciDialect,
  networks: readonly Network[],
  { subnetId }: Pick<NetworkSettings, 'subnetId'>,
): NetworkChoice {
  const lasting = networks.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  const fitting = lasting.find(({ spec = {} }) => [subnetId, undefined].includes(subnetOf(spec)));
  if (fitting !== undefined) return { kind: 'use', network: fitting };
  const [other] = lasting;
  if (other === undefined) return { kind: 'create' };
  const message = `the CCI network ${other.metadata?.name ?? ''} is in the subnet ${subnetOf(other.spec ?? {})}, not in ${subnetId}`;
  const remedy = 'Set subnetId to its subnet, or delete the network when no pod uses it';
  return { kind: 'refuse', error: new BackendError('blocked', message, { reason: 'CCINetworkOfOtherSubnet', remedy }) };
}

export type NetworkProgress =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting'; readonly says: string; readonly remedy?: string }
  | { readonly kind: 'failed'; readonly error: BackendError };

const longMs = 2 * 60_000;
const tooLongMs = 10 * 60_000;

const whatToCheck =
  'Check that vpcId, networkId and subnetId belong together (subnetId is the Neutron ID, not that of the VPC subnet), that the subnet has free addresses, that securityGroupId exists, and that the account has authorized CCI (agency cci_admin_trust)';

/** @param waitedMs since somebody began to wait for it */
export function networkProgress({ network: dialect }: CciDialect, network: Network, waitedMs: number): NetworkProgress {
  const state = textOf(network.status?.[dialect.stateField]) ?? 'Initializing';
  if (state === dialect.ready) return { kind: 'ready' };
  const detail = textOf(network.status?.['message']);
  const says = `the network of CCI is ${state}${detail === undefined ? '' : `: ${detail}`}`;
  if (dialect.failed.includes(state) || state === 'Terminating' || waitedMs >= tooLongMs) {
    const since = waitedMs >= tooLongMs ? ` for ${Math.round(waitedMs / 60_000)} minutes` : '';
    return {
      kind: 'failed',
      error: new BackendError('unavailable', `${says}${since}`, { reason: 'CCINetworkNotReady', remedy: whatToCheck }),
    };
  }
  return { kind: 'waiting', says, ...(waitedMs >= longMs && { remedy: whatToCheck }) };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
