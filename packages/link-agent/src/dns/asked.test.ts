import { expect, test } from 'vitest';
import { readName } from './asked.ts';

const read = (name: string): unknown => readName(name, 'cluster.local');

test.each([
  ['orders.shop.svc.cluster.local', { kind: 'service', namespace: 'shop', name: 'orders' }],
  ['Orders.SHOP.svc.Cluster.Local.', { kind: 'service', namespace: 'shop', name: 'orders' }],
  ['db-0.db.shop.svc.cluster.local', { kind: 'service', namespace: 'shop', name: 'db', endpoint: 'db-0' }],
  [
    '_http._tcp.orders.shop.svc.cluster.local',
    { kind: 'service', namespace: 'shop', name: 'orders', port: { name: 'http', protocol: 'tcp' } },
  ],
  ['a._http._tcp.orders.shop.svc.cluster.local', { kind: 'nothing' }],
  ['..svc.cluster.local', { kind: 'nothing' }],
  ['shop.svc.cluster.local', { kind: 'elsewhere' }],
  ['svc.cluster.local', { kind: 'elsewhere' }],
  ['10-0-0-1.shop.pod.cluster.local', { kind: 'elsewhere' }],
  ['example.com', { kind: 'elsewhere' }],
  ['3.2.65.127.in-addr.arpa', { kind: 'address', address: '127.65.2.3' }],
  ['3.2.1.127.in-addr.arpa', { kind: 'elsewhere' }],
  ['5.0.244.10.in-addr.arpa', { kind: 'elsewhere' }],
])('%s', (name, asked) => {
  expect(read(name)).toEqual(asked);
});

test('another domain of the cluster is another domain', () => {
  expect(readName('orders.shop.svc.cluster.local', 'example.org')).toEqual({ kind: 'elsewhere' });
  expect(readName('orders.shop.svc.example.org', 'example.org')).toMatchObject({ kind: 'service' });
});
