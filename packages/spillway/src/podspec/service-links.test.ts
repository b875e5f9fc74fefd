import type { Service } from '@spillway/kube';
import { expect, test } from 'vitest';
import { serviceVariables } from './service-links.ts';

const service = (
  namespace: string,
  name: string,
  clusterIP: string,
  ports: NonNullable<Service['spec']>['ports'] = [{ port: 80 }],
): Service => ({ metadata: { namespace, name }, spec: { clusterIP, ...(ports && { ports }) } });

const pod = (enableServiceLinks?: boolean): Parameters<typeof serviceVariables>[0] => ({
  metadata: { namespace: 'shop' },
  spec: { containers: [], ...(enableServiceLinks !== undefined && { enableServiceLinks }) },
});

const services = [
  service('default', 'kubernetes', '10.0.0.1', [{ name: 'https', port: 443 }]),
  service('shop', 'my-db', '10.0.0.7', [
    { name: 'pg', port: 5432 },
    { name: 'dns-udp', port: 53, protocol: 'UDP' },
  ]),
  service('shop', 'headless', 'None'),
  service('shop', 'pending', ''),
  service('other', 'theirs', '10.0.0.9'),
];

test('a pod is told of its namespace’s Services and of the API server', () => {
  expect(Object.fromEntries(serviceVariables(pod(), services))).toEqual({
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    KUBERNETES_PORT: 'tcp://10.0.0.1:443',
    KUBERNETES_PORT_443_TCP: 'tcp://10.0.0.1:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: '10.0.0.1',
    MY_DB_SERVICE_HOST: '10.0.0.7',
    MY_DB_SERVICE_PORT: '5432',
    MY_DB_SERVICE_PORT_PG: '5432',
    MY_DB_SERVICE_PORT_DNS_UDP: '53',
    MY_DB_PORT: 'tcp://10.0.0.7:5432',
    MY_DB_PORT_5432_TCP: 'tcp://10.0.0.7:5432',
    MY_DB_PORT_5432_TCP_PROTO: 'tcp',
    MY_DB_PORT_5432_TCP_PORT: '5432',
    MY_DB_PORT_5432_TCP_ADDR: '10.0.0.7',
    MY_DB_PORT_53_UDP: 'udp://10.0.0.7:53',
    MY_DB_PORT_53_UDP_PROTO: 'udp',
    MY_DB_PORT_53_UDP_PORT: '53',
    MY_DB_PORT_53_UDP_ADDR: '10.0.0.7',
  });
});

test('without service links only the API server remains', () => {
  const names = [...serviceVariables(pod(false), services).keys()];
  expect(names.filter((name) => !name.startsWith('KUBERNETES_'))).toEqual([]);
  expect(names).toContain('KUBERNETES_SERVICE_HOST');
});

test('addresses of version 6 are bracketed in URLs only', () => {
  const variables = serviceVariables(pod(), [service('shop', 'six', 'fd00::1')]);
  expect(variables.get('SIX_PORT')).toBe('tcp://[fd00::1]:80');
  expect(variables.get('SIX_SERVICE_HOST')).toBe('fd00::1');
});
