import { isObject, listAt, objectAt, type JsonObject } from '../json.ts';
import { milliOf } from './quantity.ts';

const quarterCpu = 250n;
const gibi = 1024n ** 3n * 1000n;
const smallest = { cpu: quarterCpu, memory: gibi };
const largest = { cpu: 32_000n, memory: 256n * gibi };
/** Sizes above the range that exist all the same. */
const special = { cpu: [48_000n, 64_000n], memory: [384n * gibi, 512n * gibi] };
const mostContainers = 5;

/** What is wrong with the sizes of a pod's containers, as CCI 1.0 documents them; undefined when nothing is. */
export function sizeMistake(podSpec: unknown): string | undefined {
  const containers = listAt(podSpec, 'containers').filter(isObject);
  const init = listAt(podSpec, 'initContainers').filter(isObject);
  if (containers.length + init.filter(isSidecar).length > mostContainers)
    return `a pod has at most ${mostContainers} containers`;
  for (const container of [...containers, ...init]) {
    if (!requestsEqualLimits(container)) return "limit and request doesn't equal";
  }
  const cpu = totalOf('cpu', containers, init);
  const memory = totalOf('memory', containers, init);
  if (cpu === 0n) return 'no container of the pod has CPU';
  return rangeMistake(cpu, memory);
}

function rangeMistake(cpu: bigint, memory: bigint): string | undefined {
  if (cpu % quarterCpu !== 0n) return 'the CPU of a pod is a multiple of 0.25';
  if (memory % gibi !== 0n) return 'the memory of a pod is a whole number of Gi';
  if ((cpu < smallest.cpu || cpu > largest.cpu) && !special.cpu.includes(cpu)) {
    return 'the CPU of a pod is 0.25 to 32, or 48 or 64';
  }
  if ((memory < smallest.memory || memory > largest.memory) && !special.memory.includes(memory)) {
    return 'the memory of a pod is 1Gi to 256Gi, or 384Gi or 512Gi';
  }
  // Gi per CPU; CPU is in thousandths.
  const ratio = { least: 2n * cpu * gibi, most: 8n * cpu * gibi };
  if (memory * 1000n < ratio.least || memory * 1000n > ratio.most) {
    return 'the ratio of CPU to memory is 1:2 to 1:8';
  }
  return undefined;
}

/** Of the limits of a pod. */
export function totalOf(
  resource: 'cpu' | 'memory',
  containers: readonly JsonObject[],
  init: readonly JsonObject[],
): bigint {
  return together(containers, init, (each) => milliOf(objectAt(each, 'resources', 'limits')[resource]) ?? 0n);
}

/** All containers with the sidecars, or the largest init container with the sidecars before it, whichever is more. */
export function together(
  containers: readonly JsonObject[],
  init: readonly JsonObject[],
  amountOf: (container: JsonObject) => bigint,
): bigint {
  let sidecars = 0n;
  let largestInit = 0n;
  for (const container of init) {
    const amount = amountOf(container);
    if (isSidecar(container)) sidecars += amount;
    else if (sidecars + amount > largestInit) largestInit = sidecars + amount;
  }
  const running = containers.map(amountOf).reduce((sum, each) => sum + each, sidecars);
  return running > largestInit ? running : largestInit;
}

/** An init container that goes on running. */
function isSidecar(container: JsonObject): boolean {
  return container['restartPolicy'] === 'Always';
}

/** A request that is left out is the limit; a limit that is left out is missing. */
function requestsEqualLimits(container: JsonObject): boolean {
  const limits = objectAt(container, 'resources', 'limits');
  const requests = objectAt(container, 'resources', 'requests');
  return Object.entries(requests).every(([name, request]) => {
    const [a, b] = [milliOf(request), milliOf(limits[name])];
    return a !== undefined && a === b;
  });
}
