import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { freeLinks, linkCount, linkOf, parseCidr } from './addressing.ts';

const index = fc.integer({ min: 0, max: linkCount - 1 });

function next(routes: string[]): string | undefined {
  return freeLinks(routes).next().value?.nodeAddress;
}

function addresses(at: number): number[] {
  const { hostAddress, nodeAddress } = linkOf(at);
  return [hostAddress, nodeAddress].map((address) => parseCidr(address)?.first ?? -1);
}

test('the first cluster has the first addresses', () => {
  expect(linkOf(0)).toMatchObject({ hostAddress: '10.201.0.1', nodeAddress: '10.201.0.2', hostInterface: 'spillway0' });
  expect(linkOf(linkCount - 1)).toMatchObject({ hostAddress: '10.201.255.253', nodeAddress: '10.201.255.254' });
});

test('two clusters never share an address, a prefix or an interface name', () => {
  fc.assert(
    fc.property(index, index, (a, b) => {
      fc.pre(a !== b);
      const prefixes = [a, b].map((at) => addresses(at).map((address) => Math.floor(address / 4)));
      expect(prefixes[0]?.[0]).not.toBe(prefixes[1]?.[0]);
      expect(linkOf(a).hostInterface).not.toBe(linkOf(b).hostInterface);
    }),
  );
});

test('both ends are in one /30 of 10.201.0.0/16, and the kernel takes the interface’s name', () => {
  const all = parseCidr('10.201.0.0/16');
  fc.assert(
    fc.property(index, (at) => {
      const [host = 0, node = 0] = addresses(at);
      expect(Math.floor(host / 4)).toBe(Math.floor(node / 4));
      expect(all && host >= all.first && node <= all.last).toBe(true);
      expect(linkOf(at).hostInterface.length).toBeLessThanOrEqual(15);
    }),
  );
});

test('addresses that a route of the host covers are left alone', () => {
  expect(next(['default', '192.0.2.0/24'])).toBe('10.201.0.2');
  expect(next(['10.201.0.0/30'])).toBe('10.201.0.6');
  expect(next(['10.201.0.0/24', '10.201.1.1'])).toBe('10.201.1.6');
  expect(next(['10.0.0.0/8'])).toBeUndefined();
});

test.each(['default', '', '10.0.0', '10.0.0.256', '10.0.0.0/33', 'fd00::/64'])('"%s" is no IPv4 range', (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test('a range is all addresses with its prefix', () => {
  const { first = 0, last = 0 } = parseCidr('10.244.7.9/16') ?? {};
  expect(last - first + 1).toBe(65_536);
  expect(first).toBe(parseCidr('10.244.0.0')?.first);
});
