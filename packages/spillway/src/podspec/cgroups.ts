import type { Container, Pod } from '@spillway/kube';
import { millis, type Nano, units } from './quantities.ts';
import { containerResources, podResources, qosClass, type Resources } from './resources.ts';

/** Numbers for the kernel, in cgroup v1 terms. */
export interface CgroupLimits {
  /** Weight under contention; from the cpu request. */
  readonly cpuShares: number;
  /** Microseconds of cpu time in each period; absent: no limit. */
  readonly cpuQuota?: number;
  readonly cpuPeriod: number;
  /** Absent: no limit. */
  readonly memoryBytes?: number;
}

const minShares = 2;
const maxShares = 262_144;
const cpuPeriod = 100_000;
/** The kernel refuses less. */
const minQuota = 1_000;

export function containerCgroup(container: Container): CgroupLimits {
  const limits = containerResources(container, 'limits');
  return limitsOf(containerResources(container, 'requests'), limits.get('cpu'), limits.get('memory'));
}

/** The pod's own group: a limit applies to the pod when every container has one. */
export function podCgroup(pod: Pod): CgroupLimits {
  const { containers = [], initContainers = [], resources } = pod.spec ?? {};
  const limits = podResources(pod, 'limits');
  const limited = (name: string): Nano | undefined => {
    const all = [...containers, ...initContainers].every((each) => containerResources(each, 'limits').get(name));
    return all || resources?.limits?.[name] !== undefined ? limits.get(name) : undefined;
  };
  return limitsOf(podResources(pod, 'requests'), limited('cpu'), limited('memory'));
}

function limitsOf(requests: Resources, cpu: Nano | undefined, memory: Nano | undefined): CgroupLimits {
  const shares = Number((millis(requests.get('cpu') ?? 0n) * 1024n) / 1000n);
  const quota = cpu === undefined ? 0 : Number((millis(cpu) * BigInt(cpuPeriod)) / 1000n);
  return {
    cpuShares: Math.min(Math.max(shares, minShares), maxShares),
    cpuPeriod,
    ...(quota > 0 && { cpuQuota: Math.max(quota, minQuota) }),
    ...(memory !== undefined && memory > 0n && { memoryBytes: Number(units(memory)) }),
  };
}

/** Who dies first when the machine runs out of memory: the more memory was promised, the later. The kubelet's numbers. */
export function oomScoreAdj(pod: Pod, container: Container, machineMemoryBytes: number): number {
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const requested = Number(units(containerResources(container, 'requests').get('memory') ?? 0n));
  const score = 1000 - Math.floor((1000 * requested) / machineMemoryBytes);
  return Math.min(Math.max(score, 3), 999);
}
