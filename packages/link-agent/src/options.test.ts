import { expect, test } from 'vitest';
import { readOptions } from './options.ts';

const right = {
  SPILLWAY_LINK_SERVERS: '10.0.0.1:10260,10.0.0.2:10260',
  SPILLWAY_LINK_AUTHORITIES: 'PEM',
  SPILLWAY_LINK_TOKEN_FILE: '/token',
  SPILLWAY_CLUSTER_DOMAIN: 'cluster.local',
  SPILLWAY_RESOLVERS: '10.0.0.10',
  SPILLWAY_OWN_PORTS: '8080/TCP',
  SPILLWAY_HEALTH_PORT: '15053',
};

test('the environment says it all', () => {
  expect(readOptions(right)).toEqual({
    servers: ['10.0.0.1:10260', '10.0.0.2:10260'],
    authorities: 'PEM',
    tokenFile: '/token',
    domain: 'cluster.local',
    resolvers: ['10.0.0.10'],
    ownPorts: new Set(['8080/TCP']),
    healthPort: 15_053,
  });
});

test('all that is wrong is said at once', () => {
  expect(() => readOptions({ ...right, SPILLWAY_LINK_SERVERS: '', SPILLWAY_RESOLVERS: 'kube-dns' })).toThrow(
    'SPILLWAY_RESOLVERS: "kube-dns" is no address; SPILLWAY_LINK_SERVERS is not set',
  );
});
