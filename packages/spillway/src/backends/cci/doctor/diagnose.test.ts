import type { Deployment, Node, Service } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { isInside, overlaps } from './cidr.ts';
import { diagnoseCci } from './diagnose.ts';
import type { AccountView, CciFinding, CciView, ClusterFacts, PoolBackend, Trouble } from './view.ts';

const backend: PoolBackend = {
  region: 'cn-north-4',
  projectId: 'p',
  domainId: 'd',
  vpcId: 'v',
  networkId: 'n',
  subnetId: 's',
  securityGroupId: 'g',
  availableZone: 'cn-north-4a',
  cidr: '192.168.0.0/24',
  credentials: {},
  apiVersion: 'v1',
  imageReplacements: [],
};
const yes = { ok: true, value: true } as const;
const account: AccountView = {
  namespace: 'cce-burst-c1',
  gateway: { ok: true, value: { skewMs: 900 } },
  login: { ok: true, value: { described: 'access key …ABCD' } },
  accepted: yes,
  agency: yes,
  made: yes,
  standing: yes,
  network: { ok: true, value: 'ready' },
  quotas: { ok: true, value: [] },
  registry: { kind: 'accepted', host: 'swr', why: '' },
};
const node: Node = {
  metadata: { name: 'node-1' },
  spec: { podCIDR: '172.16.0.0/24' },
  status: { addresses: [{ type: 'InternalIP', address: '192.168.1.5' }] },
};
const cluster: ClusterFacts = {
  nodes: [node],
  services: [],
  deployments: [],
  statefulSets: [],
  jobs: [],
  daemonSets: [],
  pods: [],
};
const view: CciView = {
  pool: 'cci',
  nodeName: 'virtual-kubelet',
  backend,
  dnsServers: ['192.168.1.10'],
  interconnect: 'off',
  account,
  cluster,
};

/** Without what is never looked at. */
const found = (change: Partial<CciView>): CciFinding[] =>
  diagnoseCci({ ...view, ...change }).filter(({ code }) => code !== 'cci-not-checked');
const ofAccount = (change: Partial<AccountView>): CciFinding[] => found({ account: { ...account, ...change } });
const ofCluster = (change: Partial<ClusterFacts>): CciFinding[] => found({ cluster: { ...cluster, ...change } });
const no = (trouble: Partial<Trouble>) => ({
  ok: false as const,
  trouble: { kind: 'internal' as const, message: 'why', ...trouble },
});

const skewed = (skewMs: number): string =>
  ofAccount({ gateway: { ok: true, value: { skewMs } } })
    .map(({ code, message }) => `${code}: ${message}`)
    .join();

const quota = (hard: Record<string, string>, used: Record<string, string>): string[] =>
  ofAccount({ quotas: { ok: true, value: [{ metadata: { name: 'q' }, status: { hard, used } }] } }).map(
    ({ message }) => message,
  );

const messages = (findings: readonly CciFinding[]): string => findings.map(({ message }) => message).join('\n');

const web = (burst: string): Deployment => ({
  metadata: { namespace: 'shop', name: 'web' },
  spec: {
    selector: {},
    template: {
      metadata: { labels: { 'virtual-kubelet.io/burst-to-cci': burst } },
      spec: {
        containers: ['harbor.example/team/web:1', 'nginx', 'swr.cn-north-4.myhuaweicloud.com/team/side:1'].map(
          (image, index) => ({ name: `c${index}`, image }),
        ),
      },
    },
  },
});

test('a pool where all is well is told only what was not looked at, with where to look', () => {
  expect(found({})).toEqual([]);
  const unseen = diagnoseCci(view);
  expect(unseen.map(({ severity }) => severity)).toEqual(['info', 'info']);
  expect(unseen[0]).toMatchObject({
    object: 'Pool cci',
    message: expect.stringContaining('security groups'),
    remedy: expect.stringMatching(/group g .* port 53 .* 192\.168\.0\.0\/24/),
  });
});

describe('the account', () => {
  test.each<[string, Partial<AccountView>, string, CciFinding['severity']]>([
    ['whose gateway is not reached', { gateway: no({ kind: 'unavailable' }) }, 'cci-unreachable', 'error'],
    ['without a credential', { login: no({ kind: 'unauthorized' }) }, 'cci-credential-missing', 'error'],
    ['whose credential is refused', { accepted: no({ kind: 'unauthorized' }) }, 'cci-credential-refused', 'error'],
    ['whose IAM is not reached', { accepted: no({ kind: 'unavailable' }) }, 'cci-unreachable', 'error'],
    ['that has not authorized CCI', { agency: { ok: true, value: false } }, 'cci-not-authorized', 'warning'],
    ['in arrears', { standing: no({ kind: 'blocked' }) }, 'cci-account-blocked', 'error'],
    [
      'whose namespace is taken',
      { made: no({ kind: 'blocked', reason: 'CCINamespaceTaken' }) },
      'cci-namespace-taken',
      'error',
    ],
    ['without a namespace yet', { made: { ok: true, value: false } }, 'cci-not-made-yet', 'info'],
    ['without a network yet', { network: { ok: true, value: 'missing' } }, 'cci-not-made-yet', 'info'],
    [
      'whose network is Pending',
      { network: { ok: true, value: { waiting: 'it is Pending' } } },
      'cci-network-not-ready',
      'error',
    ],
    [
      'whose network has failed',
      { network: no({ kind: 'unavailable', reason: 'CCINetworkNotReady' }) },
      'cci-network-not-ready',
      'error',
    ],
    [
      'whose network is elsewhere',
      { network: no({ kind: 'blocked', reason: 'CCINetworkOfOtherSubnet' }) },
      'cci-network-of-other-subnet',
      'error',
    ],
    ['that answers something else', { network: no({ kind: 'throttled' }) }, 'cci-failed', 'error'],
    [
      'whose key SWR refuses',
      { registry: { kind: 'refused', host: 'swr', why: 'status 401' } },
      'cci-registry-login',
      'warning',
    ],
    ['without a permanent key', { registry: { kind: 'noLogin' } }, 'cci-registry-login', 'info'],
    [
      'whose test pod failed',
      { testPod: { kind: 'failed', image: 'busybox', trouble: { kind: 'unavailable', message: 'why' } } },
      'cci-test-pod-failed',
      'error',
    ],
    [
      'whose test pod started',
      { testPod: { kind: 'started', image: 'busybox', name: 'x', seconds: 3 } },
      'cci-test-pod-started',
      'info',
    ],
  ])('%s', (_, change, code, severity) => {
    const [finding, ...more] = ofAccount(change);
    expect(finding).toMatchObject({ code, severity });
    expect(finding?.remedy).toMatch(/^[A-Z].*\.$/);
    expect(more).toEqual([]);
  });

  test('of which one may not see whether CCI is authorized is not suspected', () => {
    expect(ofAccount({ agency: no({ kind: 'unauthorized' }) })).toEqual([]);
  });

  test('with another time is told whose clock is wrong, and by how much', () => {
    expect(skewed(20 * 60_000)).toMatch(/^cci-clock-skew: .*20 minutes behind that of CCI/);
    expect(skewed(-20 * 60_000)).toMatch(/20 minutes ahead of that of CCI/);
    expect(skewed(59_000)).toBe('');
  });

  test('that has used nearly all of a quota is told of which', () => {
    expect(quota({ pods: '10', 'limits.cpu': '4' }, { pods: '9', 'limits.cpu': '3500m' })).toEqual([
      '9 of 10 pods are in use in CCI',
    ]);
    expect(quota({ 'limits.memory': '1Ti' }, { 'limits.memory': '1000Gi' })).toHaveLength(1);
    expect(quota({ pods: '10' }, {})).toEqual([]);
  });
});

const service = (clusterIP: string): Service => ({
  metadata: { name: 'kubernetes', namespace: 'default' },
  spec: { clusterIP },
});

describe('the surroundings', () => {
  test('nodes, pods and the subnet do not share addresses with each other, nor with the Services of CCI', () => {
    const inRange = { ...node, status: { addresses: [{ type: 'InternalIP', address: '10.247.3.4' }] } };
    expect(messages(ofCluster({ nodes: [inRange] }))).toMatch(
      /cannot reach 1 node with addresses in 10\.247\.0\.0\/16/,
    );
    expect(messages(ofCluster({ nodes: [{ ...node, spec: { podCIDR: '10.240.0.0/12' } }] }))).toMatch(
      /10\.240\.0\.0\/12/,
    );
    expect(messages(ofCluster({ nodes: [{ ...node, spec: { podCIDR: '192.168.0.128/25' } }] }))).toMatch(
      /cidr 192\.168\.0\.0\/24 overlaps 192\.168\.0\.128\/25/,
    );
    const kubernetes: Service = {
      metadata: { name: 'kubernetes', namespace: 'default' },
      spec: { clusterIP: '192.168.0.1' },
    };
    expect(messages(ofCluster({ services: [kubernetes] }))).toMatch(/overlaps the addresses of the cluster's Services/);
    expect(messages(found({ backend: { ...backend, cidr: '10.247.8.0/24' } }))).toMatch(/overlaps 10\.247\.0\.0\/16/);
  });

  test('Services with addresses of CCI cannot be routed; name servers that are Services can', () => {
    const route = (clusterIP: string): string =>
      messages(
        found({
          interconnect: 'route',
          dnsServers: [clusterIP],
          cluster: { ...cluster, services: [service(clusterIP)] },
        }),
      );
    expect(route('10.247.0.1')).toMatch(/interconnect: route cannot work.*such as 10\.247\.0\.1/);
    expect(route('10.96.0.1')).toBe('');
    expect(messages(found({ cluster: { ...cluster, services: [service('10.247.0.1')] } }))).toBe('');
  });

  test('ranges of addresses are compared as networks', () => {
    expect(overlaps('10.0.0.0/8', '10.255.255.0/24')).toBe(true);
    expect(overlaps('10.0.0.0/24', '10.0.1.0/24')).toBe(false);
    expect(isInside('10.247.255.255', '10.247.0.0/16')).toBe(true);
    expect(isInside('fd00::1', '10.247.0.0/16')).toBe(false);
  });

  test('servers for DNS are set, and none is a Service', () => {
    expect(messages(found({ dnsServers: [] }))).toMatch(/dns\.clusterDNS of the pool cci is empty/);
    const dns: Service = {
      metadata: { name: 'kube-dns', namespace: 'kube-system' },
      spec: { clusterIP: '10.96.0.10' },
    };
    expect(
      messages(found({ dnsServers: ['10.96.0.10', '10.247.0.10'], cluster: { ...cluster, services: [dns] } })),
    ).toMatch(/10\.96\.0\.10 .* the Service kube-dns[^]*10\.247\.0\.10 .* in 10\.247\.0\.0\/16/);
  });

  test('a network of tunnels is suspected by who carries it', () => {
    const flannel = {
      metadata: { namespace: 'kube-system', name: 'kube-flannel-ds' },
      spec: { selector: {}, template: { spec: { containers: [] } } },
    };
    expect(ofCluster({ daemonSets: [flannel] })).toMatchObject([
      { code: 'cci-tunnel-network', object: 'DaemonSet kube-system/kube-flannel-ds (pool cci)' },
    ]);
  });

  test('images of registries that CCI may not reach are told for what may burst, unless they are replaced', () => {
    expect(ofCluster({ deployments: [web('off')] })).toEqual([]);
    expect(ofCluster({ deployments: [web('auto')] })).toMatchObject([
      {
        code: 'cci-third-party-registry',
        object: 'Deployment shop/web (pool cci)',
        remedy: expect.stringContaining('{repositoryPrefix: harbor.example/team, replaceWith: swr.cn-north-4.'),
      },
    ]);
    const imageReplacements = [
      { repositoryPrefix: 'harbor.example/team', replaceWith: 'swr.cn-north-4.myhuaweicloud.com/team' },
    ];
    expect(
      found({ backend: { ...backend, imageReplacements }, cluster: { ...cluster, deployments: [web('auto')] } }),
    ).toEqual([]);
  });

  test('what cannot be seen is said: how nodes give their pods addresses', () => {
    const unseen = diagnoseCci({ ...view, cluster: { ...cluster, nodes: [{ metadata: { name: 'n' } }] } });
    expect(messages(unseen)).toMatch(/whether pods in CCI can reach the pods of the cluster/);
  });
});
