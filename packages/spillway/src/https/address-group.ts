/** Whose a connection is, as far as its address tells: an IPv4 address, or the /64 of an IPv6 address, of which one host may have all. */
export function addressGroup(address = ''): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  return `${head.concat(zeros, tail).slice(0, 4).join(':')}::/64`;
}
