import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exec, run } from '../exec.ts';
import { createNamespace, namespacePath, removeNamespace } from '../network/namespace.ts';
import { peer, peerOf } from './peering.ts';

interface Network {
  readonly name: string;
  readonly scope: string;
  readonly netns: string;
  readonly nodeAddress: string;
  readonly podCidrs: readonly string[];
  readonly serviceCidr: string;
}

/** What of a cluster a peering is about: its network, here without a cluster in it. */
async function network(name: string, ...podCidrs: string[]): Promise<Network> {
  const scope = `spillway-${name}-${randomBytes(2).toString('hex')}`;
  const { nodeAddress } = await createNamespace(scope);
  return { name, scope, netns: namespacePath(scope), nodeAddress, podCidrs, serviceCidr: '10.96.0.0/16' };
}

let here: Network;
let there: Network;
let third: Network;

beforeEach(async () => {
  here = await network('here', '10.246.0.0/16');
  there = await network('there', '10.244.0.0/16', '10.245.0.0/16');
  third = await network('third', '10.244.0.0/16');
});
afterEach(() => Promise.all([here, there, third].map(({ scope }) => removeNamespace(scope))));

/** The address from which a process of the one reaches an address, and the way; undefined when it does not. */
async function way({ scope }: Network, address: string): Promise<string | undefined> {
  const { code, stdout } = await exec('ip', ['-n', scope, 'route', 'get', address]);
  return code === 0 ? /dev (\S+) src \S+/.exec(stdout)?.[0] : undefined;
}

test('pods and node addresses of both are routed to each other, and no service addresses', async () => {
  await peer(here, there);
  for (const address of ['10.244.3.4', '10.245.3.4', there.nodeAddress]) {
    expect(await way(here, address)).toBe(`dev peering src ${here.nodeAddress}`);
  }
  for (const address of ['10.246.3.4', here.nodeAddress]) {
    expect(await way(there, address)).toBe(`dev peering src ${there.nodeAddress}`);
  }
  expect(await way(here, '10.96.0.10')).toBeUndefined();
  expect([await peerOf(here), await peerOf(there), await peerOf(third)]).toEqual(['there', 'here', undefined]);
});

test('Services of one are routed to its node for the other, which has none of its own', async () => {
  await peer(here, there, { servicesOf: there });
  expect(await way(here, '10.96.0.10')).toBe(`dev peering src ${here.nodeAddress}`);
  expect(await way(there, '10.96.0.10')).toBeUndefined();
});

test('a second peer is refused, and the first stays; the same one again is no mistake', async () => {
  await peer(here, there);
  await peer(here, there);
  await peer(there, here);
  await expect(peer(here, third)).rejects.toThrow('cluster "here" is joined to "there"');
  await expect(peer(third, here)).rejects.toThrow('Take "there" down first');
  expect(await peerOf(here)).toBe('there');
});

test('networks that are the same are not joined', async () => {
  await expect(peer(there, third)).rejects.toThrow('their pods have the same addresses (10.244.0.0/16, 10.244.0.0/16)');
});

test('it ends when either goes, and the other can have a new peer', async () => {
  await peer(here, there);
  await removeNamespace(there.scope);
  expect(await peerOf(here)).toBeUndefined();
  expect(await way(here, '10.244.3.4')).toBeUndefined();
  await peer(here, third);
  expect(await way(third, '10.246.3.4')).toContain('peering');
  expect(await run('ip', ['netns', 'list'])).not.toContain(there.scope);
});
