/** IPv4 only: there is no other in CCI's networks. What is none overlaps nothing. */
export function overlaps(a: string, b: string): boolean {
  const [one, two] = [rangeOf(a), rangeOf(b)];
  return one !== undefined && two !== undefined && one.first <= two.last && two.first <= one.last;
}

export const isInside = (address: string, range: string): boolean => overlaps(`${address}/32`, range);

function rangeOf(cidr: string): { readonly first: number; readonly last: number } | undefined {
  const [, address = '', bits = ''] = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(cidr) ?? [];
  if (address === '' || Number(bits) > 32) return undefined;
  const value = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(value / size) * size;
  return { first, last: first + size - 1 };
}
