import { expect, test } from 'vitest';
import { LoopbackAddresses } from './loopback.ts';

test('each Service has an address of its own in 127.64.0.0/10, the same after a restart', () => {
  const [first, second] = [new LoopbackAddresses(), new LoopbackAddresses()];
  const keys = Array.from({ length: 3000 }, (_, index) => `shop/web-${index}`);
  const addresses = keys.map((key) => first.addressOf(key));
  expect(new Set(addresses).size).toBe(3000);
  for (const address of addresses) expect(address).toMatch(/^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+$/);
  expect(second.addressOf('shop/web-7')).toBe(addresses[7]);
  expect(first.keyAt(addresses[7] ?? '')).toBe('shop/web-7');
});

test('an address that was released is nobody’s', () => {
  const addresses = new LoopbackAddresses();
  const address = addresses.addressOf('shop/web');
  addresses.release('shop/web');
  expect(addresses.keyAt(address)).toBeUndefined();
});
