import { describe, expect, test } from 'vitest';
import { Addresses } from './addresses.ts';

describe('pod addresses', () => {
  test('are handed out once each, and again when they are free', () => {
    const addresses = new Addresses('10.1.2.9/29');
    const all = Array.from({ length: 6 }, () => addresses.take());
    expect(all).toEqual(['10.1.2.9', '10.1.2.10', '10.1.2.11', '10.1.2.12', '10.1.2.13', '10.1.2.14']);
    expect(() => addresses.take()).toThrow('all 6 pod addresses are in use');
    addresses.release('10.1.2.12');
    expect(addresses.take()).toBe('10.1.2.12');
  });

  test('that are known from before are not handed out', () => {
    const addresses = new Addresses('10.0.0.0/30');
    addresses.keep('10.0.0.1');
    expect(addresses.take()).toBe('10.0.0.2');
  });

  test('cross the borders of bytes', () => {
    const addresses = new Addresses('10.0.0.0/16');
    const all = Array.from({ length: 256 }, () => addresses.take());
    expect(all.slice(-2)).toEqual(['10.0.0.255', '10.0.1.0']);
  });

  test.each(['', '10.0.0.0', '10.0.0/8', '300.0.0.0/16', '10.0.0.0/31', 'fd00::/64'])('%j is no network', (cidr) => {
    expect(() => new Addresses(cidr)).toThrow('is not an IPv4 network');
  });
});
