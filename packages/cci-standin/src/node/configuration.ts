/**
 * What runs the region's pods:
 * - `simulated`: nothing runs, everything is answered as if
 * - `containers`: containers on this machine, looked after by a kubelet, in a network of their own
 */
export type NodeForm = 'simulated' | 'containers';

/** How a simulated node behaves, as the configuration of the `simulated` backend says it. */
export interface SimulatedOptions {
  /** Default: 300 */
  readonly startDelayMs?: number;
  /** Default: 100 */
  readonly stopDelayMs?: number;
  readonly scenario?: object;
}

export const nodeName = 'cci';

/** No cluster on this machine has its pods there. */
export const regionPodCidr = '10.246.0.0/16';

/** The configuration of `spillway serve` as the region's only node. */
export function simulatedConfiguration(options: {
  readonly kubeconfig: string;
  readonly address: string;
  readonly kubeletPort: number;
  readonly healthPort: number;
  /** Where it keeps what it has to know after a restart */
  readonly instancesFile: string;
  readonly simulated: SimulatedOptions;
}): object {
  const { kubeconfig, address, kubeletPort, healthPort, instancesFile, simulated } = options;
  const pool = {
    name: nodeName,
    nodeName,
    address,
    kubeletPort,
    // What an account may have is the gateway's business.
    capacity: { cpu: '10000', memory: '100Ti', pods: '10000', 'ephemeral-storage': '100Ti' },
    servingCertificate: { csr: { approve: true } },
    backend: { type: 'simulated', ...simulated, podCidr: regionPodCidr, stateFile: instancesFile },
  };
  return {
    kubernetes: { kubeconfig },
    placement: { enabled: false },
    observability: { healthPort },
    pools: [pool],
  };
}
