import { isObject, listAt, objectAt, textAt, type JsonObject } from '../json.ts';
import { together } from './pod-size.ts';
import { milliOf } from './quantity.ts';

interface Size {
  /** Thousandths of a CPU */
  readonly cpu: bigint;
  /** Thousandths of a byte */
  readonly memory: bigint;
}

const gibi = 1024n ** 3n * 1000n;

/** CPUs, and the Gi that they come with. */
const table: readonly (readonly [number, readonly number[]])[] = [
  [0.25, [0.5, 1, 2]],
  [0.5, [0.5, ...range(1, 4, 1)]],
  [1, range(1, 8, 1)],
  [2, range(2, 16, 1)],
  [4, range(4, 32, 1)],
  [8, range(8, 64, 4)],
  [16, range(16, 128, 8)],
  [32, [32, 64, 128, 256]],
  [48, [96, 192, 384]],
  [64, [128, 256, 512]],
];

const flavours = table.flatMap(([cpu, memories]) =>
  memories.map((memory) => ({
    cpu: BigInt(cpu * 1000),
    memory: (BigInt(memory * 10) * gibi) / 10n,
    size: `${cpu.toFixed(2)}_${memory.toFixed(1)}`,
  })),
);

const wantedSizeAnnotation = 'resource.cci.io/pod-size-specs';

/**
 * The size of a new pod of CCI 2.0, which is what it costs: the flavour that it asks for by annotation, or else the first that
 * has room for it.
 */
export function sizeOf(metadata: unknown, podSpec: unknown): { readonly size: string } | { readonly mistake: string } {
  const containers = listAt(podSpec, 'containers').filter(isObject);
  const init = listAt(podSpec, 'initContainers').filter(isObject);
  const needed = { cpu: need('cpu', containers, init), memory: need('memory', containers, init) };
  const wanted = textAt(metadata, 'annotations', wantedSizeAnnotation);
  const found =
    wanted === undefined
      ? flavours.find((flavour) => hasRoom(flavour, needed))
      : flavours.find(({ size }) => isSame(size, wanted));
  if (found === undefined) {
    return {
      mistake: wanted === undefined ? 'no flavor is large enough for the pod' : `there is no flavor ${wanted}`,
    };
  }
  return hasRoom(found, needed)
    ? { size: found.size }
    : { mistake: `the containers of the pod need more than the flavor ${found.size}` };
}

function hasRoom(flavour: Size, needed: Size): boolean {
  return flavour.cpu >= needed.cpu && flavour.memory >= needed.memory;
}

/** "2.00_4.0" and "2_4" are the same. */
function isSame(size: string, wanted: string): boolean {
  const [cpu, memory, ...more] = wanted.split('_').map(Number);
  const [ownCpu, ownMemory] = size.split('_').map(Number);
  return more.length === 0 && cpu === ownCpu && memory === ownMemory;
}

/** All requests together, or the largest single limit or request of an init container: whichever is most. */
function need(resource: 'cpu' | 'memory', containers: readonly JsonObject[], init: readonly JsonObject[]): bigint {
  const limit = (container: JsonObject): bigint => milliOf(objectAt(container, 'resources', 'limits')[resource]) ?? 0n;
  const request = (container: JsonObject): bigint =>
    milliOf(objectAt(container, 'resources', 'requests')[resource]) ?? limit(container);
  return largest([
    together(containers, init, request),
    ...containers.map(limit),
    ...init.flatMap((container) => [limit(container), request(container)]),
  ]);
}

function largest(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b), 0n);
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: (to - from) / step + 1 }, (_, index) => from + index * step);
}
