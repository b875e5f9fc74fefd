import type { Pod } from '@spillway/kube';
import { expect, test } from 'vitest';
import { byName, hasAgent, ownPortsOf, usesClusterDns, withAgent } from './agent-container.ts';
import { serviceVariables } from './service-links.ts';

const pod: Pod = {
  metadata: { namespace: 'shop', name: 'web' },
  spec: {
    initContainers: [{ name: 'migrate', image: 'app' }],
    containers: [
      {
        name: 'main',
        image: 'app',
        ports: [{ containerPort: 8080 }, { containerPort: 53, protocol: 'UDP' }],
        readinessProbe: { httpGet: { path: '/', port: 8081 } },
        livenessProbe: { tcpSocket: { port: 'http' } },
      },
    ],
  },
};
const agent = {
  image: 'agent:1',
  env: [{ name: 'A', value: 'b' }],
  tokenFileVariable: 'TOKEN',
  ownPortsVariable: 'PORTS',
  healthPort: 15_053,
  audience: 'link',
};

test('the agent starts before the init containers, is ready before them, and is restarted by itself', () => {
  const [first, second] = withAgent(pod, agent).spec?.initContainers ?? [];
  expect(first).toMatchObject({
    name: 'spillway-link',
    image: 'agent:1',
    restartPolicy: 'Always',
    startupProbe: { httpGet: { port: 15_053 } },
    env: [{ name: 'A' }, { name: 'TOKEN' }, { name: 'PORTS', value: '8080/TCP,53/UDP,8081/TCP' }],
  });
  expect(second?.name).toBe('migrate');
  expect(hasAgent(pod.spec)).toBe(false);
  expect(hasAgent(withAgent(pod, agent).spec)).toBe(true);
});

test('it asks for nothing, so that the pod is billed as before, and has no privileges', () => {
  const [first] = withAgent(pod, agent).spec?.initContainers ?? [];
  expect(first).not.toHaveProperty('resources');
  expect(first?.securityContext).toMatchObject({
    privileged: false,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
  });
});

test('its token is for the link alone', () => {
  const { volumes = [] } = withAgent(pod, agent).spec ?? {};
  expect(volumes.map(({ projected }) => projected?.sources?.[0]?.serviceAccountToken?.audience)).toEqual(['link']);
});

test('only a pod that asks the cluster for names needs it', () => {
  const spec = { containers: [] };
  expect(
    [undefined, 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'].map((dnsPolicy) =>
      usesClusterDns({ spec: { ...spec, ...(dnsPolicy && { dnsPolicy }) } }),
    ),
  ).toEqual([true, true, true, false, false]);
});

test('variables of Services have names, which the agent answers', () => {
  const services = [
    {
      metadata: { namespace: 'default', name: 'kubernetes' },
      spec: { clusterIP: '10.96.0.1', ports: [{ port: 443 }] },
    },
    { metadata: { namespace: 'shop', name: 'db' }, spec: { clusterIP: '10.96.0.7', ports: [{ port: 5432 }] } },
    { metadata: { namespace: 'shop', name: 'ring' }, spec: { clusterIP: 'None' } },
  ];
  const variables = serviceVariables(pod, byName(services));
  expect(variables.get('KUBERNETES_SERVICE_HOST')).toBe('kubernetes.default.svc');
  expect(variables.get('DB_PORT')).toBe('tcp://db.shop.svc:5432');
  expect(variables.has('RING_SERVICE_HOST')).toBe(false);
});

test('ports are named once', () => {
  const containers = [
    { name: 'a', ports: [{ containerPort: 80 }] },
    { name: 'b', ports: [{ containerPort: 80 }] },
  ];
  expect(ownPortsOf({ containers })).toEqual(['80/TCP']);
});
