/**
 * Addresses of a cluster. Every cluster has a /30 of its own out of 10.201.0.0/16 between its network namespace and the
 * host; inside the namespace all clusters use the same pod and service networks unless they are told others, and these never leave it.
 */
export const podCidr = '10.244.0.0/16';
export const serviceCidr = '10.96.0.0/16';

/** The two cluster IPs that are known before there is a cluster. */
export function serviceAddresses(cidr: string): { readonly apiServer: string; readonly dns: string } {
  const { first } = parseCidr(cidr) ?? { first: 0 };
  return { apiServer: formatIpv4(first + 1), dns: formatIpv4(first + 10) };
}

/** Of the link to another cluster, in both. There is one at a time, because all clusters use the same networks. */
export const peeringInterface = 'peering';

export const linkCount = 16_384;

export interface Link {
  readonly index: number;
  /** Name of the host's end of the veth pair; the kernel allows each name once, so making it claims the index. */
  readonly hostInterface: string;
  readonly hostAddress: string;
  /** The cluster's end: its node's address and that of its API server. */
  readonly nodeAddress: string;
  readonly prefixLength: 30;
}

export function linkOf(index: number): Link {
  const base = ipv4(10, 201, 0, 0) + index * 4;
  return {
    index,
    hostInterface: `spillway${index}`,
    hostAddress: formatIpv4(base + 1),
    nodeAddress: formatIpv4(base + 2),
    prefixLength: 30,
  };
}

/** The links in the order in which they are to be tried: those whose addresses another route covers are left out. */
export function* freeLinks(routes: readonly string[]): Generator<Link> {
  const taken = routes.map(parseCidr).filter((range) => range !== undefined);
  for (let index = 0; index < linkCount; index++) {
    const base = ipv4(10, 201, 0, 0) + index * 4;
    if (!taken.some((range) => base + 3 >= range.first && base <= range.last)) yield linkOf(index);
  }
}

export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** `10.0.0.0/8` or a bare address; undefined for anything else, such as `default`. */
export function parseCidr(text: string): AddressRange | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [a = 256, b = 256, c = 256, d = 256] = match.slice(1, 5).map(Number);
  const length = match[5] === undefined ? 32 : Number(match[5]);
  if (a > 255 || b > 255 || c > 255 || d > 255 || length > 32) return undefined;
  const size = 2 ** (32 - length);
  const first = Math.floor(ipv4(a, b, c, d) / size) * size;
  return { first, last: first + size - 1 };
}

function ipv4(a: number, b: number, c: number, d: number): number {
  return a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
}

function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
