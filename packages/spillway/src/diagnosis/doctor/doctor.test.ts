import { readFile } from 'node:fs/promises';
import {
  ApiError,
  type CertificateSigningRequest,
  type DaemonSet,
  type Deployment,
  type EndpointSlice,
  type Ingress,
  type Node,
  type Pod,
  type Service,
} from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { cciFindingCodes } from '../../backends/cci/doctor/view.ts';
import { burstTaint } from '../../podspec/contract.ts';
import { supports } from '../../backends/support.ts';
import { addOnNode, addOnPod, addOnProvider } from '../../cce-addon/testing/add-on-objects.ts';
import { poolsOfNodes } from '../pools.ts';
import { diagnose } from './doctor.ts';
import { networkFindingCodes } from '../network/view.ts';
import { type ClusterView, type Finding, findingCodes } from './view.ts';

const nowMs = Date.parse('2026-01-01T00:01:00Z');
const burst = 'virtual-kubelet.io/burst-to-cci';

const node: Node = {
  metadata: {
    name: 'virtual-kubelet',
    labels: { type: 'virtual-kubelet' },
    annotations: { 'spillway.dev/sizing': 'none', 'spillway.dev/backend': 'kubernetes' },
  },
  spec: { taints: [burstTaint] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'BackendReachable', status: 'True' },
    ],
  },
};
const lease = { metadata: { name: 'virtual-kubelet' }, spec: { renewTime: '2026-01-01T00:00:50.000000Z' } };
const healthy: ClusterView = {
  nowMs,
  serverVersion: 'v1.36.3',
  nodes: [node],
  leases: [lease],
  deployments: [],
  statefulSets: [],
  jobs: [],
  daemonSets: [],
  pods: [],
  pools: poolsOfNodes([node], supports).pools,
  services: [],
  ingresses: [],
  endpointSlices: [],
  signingRequests: [],
  clusterUid: 'c',
  admission: { policies: [], webhooks: [], probe: { pod: { spec: { containers: [], tolerations: [burstTaint] } } } },
  unreadable: new Map(),
};

const found = (view: Partial<ClusterView>): Finding[] => diagnose({ ...healthy, ...view });
const codes = (view: Partial<ClusterView>): string[] => found(view).map(({ code }) => code);

const deployment = (labels: Record<string, string>, template: Record<string, string> = {}): Deployment => ({
  metadata: { name: 'web', namespace: 'shop', labels },
  spec: { replicas: 3, selector: {}, template: { metadata: { labels: template }, spec: { containers: [] } } },
});

const daemonSet = (spec: Partial<Pod['spec']>): DaemonSet => ({
  metadata: { name: 'agent', namespace: 'monitoring' },
  spec: { selector: {}, template: { spec: { containers: [], ...spec } } },
});

it('a cluster where all is well has no findings', () => {
  expect(found({})).toEqual([]);
});

it('every finding has its section in docs/doctor.md', async () => {
  const page = await readFile(new URL('../../../../../docs/doctor.md', import.meta.url), 'utf8');
  expect(Array.from(page.matchAll(/^### (\S+)$/gm), ([, code]) => code)).toEqual([
    ...findingCodes,
    ...cciFindingCodes,
    ...networkFindingCodes,
  ]);
});

const mayNot = (verb: string, resource: string): ApiError =>
  new ApiError(`${resource} is forbidden: User "jane" cannot ${verb} resource "${resource}" in API group ""`, {
    status: 403,
  });

/** Of two kinds. */
const both = (error: string): string => `/v1, Kind=Pod: ERROR: ${error}\napps/v1, Kind=Deployment: ERROR: ${error}\n`;

describe('what was not answered', () => {
  it('is told as a warning, with who lacks which rights', () => {
    const unreadable = new Map<string, ApiError>([
      ['jobs', mayNot('list', 'jobs')],
      ['whether admission works', mayNot('create', 'pods')],
    ]);
    expect(found({ unreadable })).toEqual([
      {
        code: 'not-allowed-to-look',
        severity: 'warning',
        message: 'not checked: jobs, whether admission works; jane may not list jobs, create pods',
        remedy: expect.stringContaining('grant it to jane') as unknown,
      },
    ]);
  });

  it('is told with the answer, where that is about something else', () => {
    const answer = new ApiError('violates PodSecurity "restricted"', { status: 403 });
    expect(found({ unreadable: new Map([['whether admission works', answer]]) })).toMatchObject([
      { severity: 'warning', message: 'not checked: whether admission works; violates PodSecurity "restricted"' },
    ]);
  });
});

const request = (
  name: string,
  seconds: number,
  status: CertificateSigningRequest['status'] = {},
): CertificateSigningRequest => ({
  metadata: { name, creationTimestamp: new Date(nowMs - seconds * 1000).toISOString() },
  spec: { request: '', signerName: 'kubernetes.io/kubelet-serving', username: 'system:node:virtual-kubelet' },
  status,
});
const condition = (type: string): CertificateSigningRequest['status'] => ({ conditions: [{ type, status: 'True' }] });

describe('the serving certificate of a virtual node', () => {
  it('that nobody has approved is told with the command that does', () => {
    const earlier = request('csr-0', 900, { certificate: 'x' });
    expect(found({ signingRequests: [earlier, request('csr-1', 60)] })).toMatchObject([
      {
        code: 'serving-certificate-missing',
        severity: 'warning',
        object: 'Node virtual-kubelet',
        message: expect.stringContaining('nobody has approved'),
        remedy: 'kubectl certificate approve csr-1',
      },
    ]);
  });

  it.each([
    ['refused', condition('Denied'), /the cluster refused \(Denied\)/],
    ['not signed', condition('Approved'), /nobody has signed/],
  ])('that was %s is told', (_, status, message) => {
    const [finding] = found({ signingRequests: [request('csr-1', 60, status)] });
    expect(finding?.message).toMatch(message);
  });

  it('is no finding when it was issued, has just been asked for, or is for another node', () => {
    const ofOther = request('csr-1', 60);
    for (const each of [
      request('csr-1', 60, { certificate: 'x' }),
      request('csr-1', 2),
      { ...ofOther, spec: { ...ofOther.spec, username: 'system:node:real' } },
    ]) {
      expect(found({ signingRequests: [each] })).toEqual([]);
    }
  });
});

const admission = (more: Partial<ClusterView['admission']>): Partial<ClusterView> => ({
  admission: { ...healthy.admission, ...more },
});

describe('admission', () => {
  const policy = { kind: 'MutatingAdmissionPolicy' as const, metadata: { name: 'spillway-pods' } };
  const untouched = { pod: { spec: { containers: [], tolerations: [{ key: 'other' }] } } };

  it('that does nothing for a pod that has to burst is told, whatever is installed', () => {
    expect(found(admission({ policies: [policy], probe: untouched }))).toMatchObject([
      { code: 'admission-not-in-force', severity: 'warning', message: expect.stringContaining('spillway-pods') },
    ]);
    const refusal = 'failed calling webhook "enforce-pods.spillway.dev": connection refused';
    expect(found(admission({ webhooks: ['spillway'], probe: { refusal } }))).toMatchObject([
      { code: 'admission-not-in-force', message: expect.stringContaining('connection refused') },
    ]);
    expect(found(admission({ policies: [policy] }))).toEqual([]);
  });

  it('that is not installed is a remark: pods can also ask by themselves', () => {
    expect(found(admission({ probe: untouched }))).toMatchObject([
      { code: 'admission-not-installed', severity: 'info' },
    ]);
  });

  it('whose policies have a mistake is told with what the API server says of it', () => {
    const expressionWarnings = [
      // It asks whether there is a template before it looks at it.
      { fieldRef: 'spec.matchConditions[0].expression', warning: "/v1, Kind=Pod: ERROR: undefined field 'template'\n" },
      { fieldRef: 'spec.validations[0].expression', warning: both("undefined field 'spc'") },
      { fieldRef: 'spec.validations[1].expression', warning: both('no such overload') },
    ];
    const resourceRules = [{ resources: ['pods', 'pods/ephemeralcontainers'] }, { resources: ['deployments'] }];
    const broken = {
      kind: 'ValidatingAdmissionPolicy' as const,
      metadata: { name: 'p' },
      spec: { matchConstraints: { resourceRules } },
      status: { typeChecking: { expressionWarnings } },
    };
    expect(found(admission({ policies: [broken] }))).toMatchObject([
      {
        code: 'policy-mistake',
        object: 'ValidatingAdmissionPolicy p',
        message: expect.stringMatching(
          /^the API server finds a mistake in spec\.validations\[0\]\.expression: .*undefined field 'spc'[^]* \(and 1 more\)$/,
        ),
      },
    ]);
  });
});

it('the worst comes first', () => {
  const view = { serverVersion: 'v1.27.9', deployments: [deployment({ [burst]: 'auto' })] };
  const untouched = { ...healthy.admission, probe: { pod: {} } };
  expect(found({ ...view, admission: untouched }).map(({ severity }) => severity)).toEqual([
    'error',
    'warning',
    'info',
  ]);
});

describe('virtual nodes', () => {
  it('there is none', () => {
    expect(codes({ nodes: [] })).toEqual(['no-virtual-node']);
    expect(codes({ nodes: [], unreadable: new Map([['nodes', mayNot('list', 'nodes')]]) })).toEqual([
      'not-allowed-to-look',
    ]);
  });

  it('that nobody serves, told once although the node is not Ready either', () => {
    const old = { ...lease, spec: { renewTime: '2026-01-01T00:00:09.000000Z' } };
    const status = { conditions: [{ type: 'Ready', status: 'Unknown' }] };
    expect(codes({ leases: [old], nodes: [{ ...node, status }] })).toEqual(['node-not-served']);
    expect(codes({ leases: [] })).toEqual(['node-not-served']);
  });

  it('whose backend does not answer, with why', () => {
    const conditions = [
      { type: 'Ready', status: 'True' },
      { type: 'BackendReachable', status: 'False', message: 'no answer within 10 s' },
    ];
    const taints = [{ key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' }];
    const [finding, ...more] = found({ nodes: [{ ...node, spec: { taints }, status: { conditions } }] });
    expect(finding).toMatchObject({ code: 'backend-unreachable', object: 'Node virtual-kubelet' });
    expect(finding?.message).toContain('no answer within 10 s');
    expect(more).toEqual([]);
  });

  it('whose backend lacks what pods need, with what it is', () => {
    const conditions = [
      { type: 'Ready', status: 'True' },
      { type: 'BackendReachable', status: 'True' },
      { type: 'BackendPrepared', status: 'False', message: 'the network of CCI is Pending' },
    ];
    const taints = [{ key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' }];
    expect(found({ nodes: [{ ...node, spec: { taints }, status: { conditions } }] })).toMatchObject([
      { code: 'backend-not-prepared', message: expect.stringContaining('is Pending') },
    ]);
  });

  it('of which it is not known what their pods use, which is no trouble of theirs', () => {
    const conditions = [
      { type: 'Ready', status: 'True' },
      { type: 'MetricsAvailable', status: 'False', message: 'CCI 2.0 has no metrics API' },
    ];
    expect(found({ nodes: [{ ...node, status: { conditions } }] })).toMatchObject([
      { code: 'metrics-missing', severity: 'info', message: expect.stringContaining('CCI 2.0 has no metrics API') },
    ]);
  });

  it('whose heartbeat is late may lose their pods', () => {
    const conditions = [
      { type: 'Ready', status: 'True' },
      { type: 'HeartbeatRenewed', status: 'False', message: 'no route' },
    ];
    expect(found({ nodes: [{ ...node, status: { conditions } }] })).toMatchObject([
      { code: 'heartbeat-late', severity: 'warning', message: expect.stringContaining('no route') },
    ]);
  });

  it('that take no new pods', () => {
    const taints = [{ key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' }];
    expect(codes({ nodes: [{ ...node, spec: { taints } }] })).toEqual(['pool-blocked']);
    expect(codes({ nodes: [{ ...node, spec: { unschedulable: true } }] })).toEqual(['node-cordoned']);
    const annotations = { 'spillway.dev/hibernation': '{"since":"2026-11-30T22:00:00Z","to":"zero","cordoned":false}' };
    const hibernating = { ...node, metadata: { ...node.metadata, annotations }, spec: { unschedulable: true } };
    expect(found({ nodes: [hibernating] })).toMatchObject([{ code: 'hibernates', remedy: 'spillway resume' }]);
  });
});

describe('workloads', () => {
  it('whose label is older than Spillway get the command that applies it', () => {
    const [finding] = found({ deployments: [deployment({ [burst]: 'auto' })] });
    expect(finding).toMatchObject({ code: 'label-without-effect', object: 'Deployment shop/web' });
    expect(finding?.remedy).toBe(
      `kubectl -n shop patch deployment web -p '{"spec":{"template":{"metadata":{"labels":{"${burst}":"auto"}}}}}' (this restarts 3 pods)`,
    );
    expect(found({ deployments: [deployment({ [burst]: 'auto' }, { [burst]: 'auto' })] })).toEqual([]);
    const none = { ...deployment({ [burst]: 'auto' }), spec: { ...deployment({}).spec, replicas: 0 } } as Deployment;
    expect(found({ deployments: [none] })[0]?.remedy).not.toContain('restarts');
  });

  it('with a value that there is not', () => {
    expect(found({ deployments: [deployment({}, { [burst]: 'yes' })] })).toMatchObject([
      { code: 'unknown-burst-value', remedy: 'Use one of auto, localPrefer, enforce, off.' },
    ]);
  });
});

describe('DaemonSets', () => {
  const everything = [{ operator: 'Exists' }];
  const excluding = (operator: string, values?: string[]): Partial<Pod['spec']> => ({
    tolerations: everything,
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'type', operator, ...(values ? { values } : {}) }] }],
        },
      },
    },
  });

  it('that tolerate everything are named, with the patch that keeps each off virtual nodes', () => {
    const [finding] = found({ daemonSets: [daemonSet({ tolerations: everything })] });
    expect(finding).toMatchObject({ code: 'daemonset-on-virtual-nodes', object: 'DaemonSet monitoring/agent' });
    expect(finding?.remedy).toContain('kubectl -n monitoring patch daemonset agent');
  });

  it('that tolerate nothing are named where the virtual node has no taints', () => {
    const untainted = { ...node, spec: { taints: [] } };
    expect(found({ nodes: [untainted], daemonSets: [daemonSet({})] })).toMatchObject([
      { code: 'daemonset-on-virtual-nodes' },
    ]);
  });

  it.each([
    ['do not tolerate our taint', {}],
    ['exclude the type', excluding('NotIn', ['virtual-kubelet'])],
    ['exclude all types', excluding('DoesNotExist')],
  ])('that %s are none', (_, spec) => {
    expect(found({ daemonSets: [daemonSet(spec)] })).toEqual([]);
  });
});

it('pods that came without asking are told, those of DaemonSets by their DaemonSet', () => {
  const stray: Pod = {
    metadata: { name: 'dns', namespace: 'kube-system' },
    spec: { nodeName: 'virtual-kubelet', containers: [], tolerations: [{ operator: 'Exists' }] },
    status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
  };
  expect(found({ pods: [stray] })).toMatchObject([{ code: 'pod-not-run', object: 'Pod kube-system/dns' }]);
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'a', uid: 'u', controller: true }];
  expect(found({ pods: [{ ...stray, metadata: { ...stray.metadata, ownerReferences } }] })).toEqual([]);
});

describe('pods that may burst and that no pool takes', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'u', controller: true };
  const mayBurst = (name: string, spec: object, more: Partial<Pod> = {}): Pod => ({
    metadata: { name, namespace: 'shop', uid: name, labels: { [burst]: 'auto' }, ownerReferences: [owner] },
    spec: { containers: [{ name: 'web' }], ...spec },
    ...more,
  });
  const onHost = { nodeName: 'node-1', hostNetwork: true };
  const status = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] };

  it('are told once for their controller, with field and remedy, also while they run elsewhere', () => {
    expect(found({ pods: [mayBurst('1', onHost), mayBurst('2', onHost)] })).toEqual([
      expect.objectContaining({
        code: 'pod-not-taken',
        object: 'ReplicaSet shop/web-1',
        message: expect.stringMatching(
          /^no pool takes 2 pods that may burst: pool virtual-kubelet: spec\.hostNetwork: /,
        ),
        remedy: expect.stringMatching(/^Run the pod on a node of the cluster/),
      }),
    ]);
  });

  it('that wait for a node are told what keeps them from a pool at the moment', () => {
    const full = { ...node, status: { ...node.status, allocatable: { cpu: '1', pods: '0' } } };
    expect(codes({ nodes: [full], pods: [mayBurst('1', {}, { status })] })).toEqual(['pod-not-taken']);
    expect(codes({ nodes: [full], pods: [mayBurst('1', { nodeName: 'node-1' })] })).toEqual([]);
  });

  it('that are on a virtual node are not run there', () => {
    const bound = mayBurst('1', { ...onHost, nodeName: 'virtual-kubelet' });
    expect(codes({ pods: [bound] })).toEqual(['pod-not-run']);
    expect(codes({ pods: [{ ...bound, status: { phase: 'Running' } }] })).toEqual([]);
  });

  it('are not those that a pool takes, that have ended, or that do not ask', () => {
    const room = { ...node, status: { ...node.status, allocatable: { cpu: '1', pods: '9' } } };
    expect(codes({ nodes: [room], pods: [mayBurst('1', {}, { status })] })).toEqual([]);
    expect(codes({ pods: [mayBurst('1', onHost, { status: { phase: 'Succeeded' } })] })).toEqual([]);
    expect(codes({ pods: [mayBurst('1', onHost, { metadata: { name: '1', uid: '1' } })] })).toEqual([]);
  });
});

const component = (command: string[]): Pod => ({
  metadata: { name: 'kcm', namespace: 'kube-system', labels: { component: 'kube-controller-manager' } },
  spec: { containers: [{ name: 'main', command }] },
});

describe('the control plane', () => {
  it('whose autoscaler counts virtual cores', () => {
    const containers = [{ name: 'a', image: 'registry.k8s.io/cpa/cluster-proportional-autoscaler:1.8' }];
    const autoscaler = {
      metadata: { name: 'cpa', namespace: 'kube-system' },
      spec: { selector: {}, template: { spec: { containers } } },
    };
    expect(codes({ deployments: [autoscaler] })).toEqual(['autoscaler-counts-virtual-nodes']);
  });

  it('with default limits is told what that costs', () => {
    expect(codes({ pods: [component(['kube-controller-manager'])] })).toEqual(['slow-control-plane']);
    expect(codes({ pods: [component(['kube-controller-manager', '--kube-api-qps=300'])] })).toEqual([]);
  });
});

const slice = (service: string, nodeName: string): EndpointSlice => ({
  metadata: { namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'], nodeName }],
});
const service = (name: string, annotations: Record<string, string> = {}): Service => ({
  metadata: { name, namespace: 'shop', annotations },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
});

describe('load balancers', () => {
  const probing = { 'kubernetes.io/elb.health-check-option': '{"monitor_port":"22"}' };
  const ingress: Ingress = {
    metadata: { name: 'front', namespace: 'shop', annotations: probing },
    spec: { rules: [{ http: { paths: [{ pathType: 'Prefix', path: '/', backend: { service: { name: 'web' } } }] } }] },
  };

  it('that probe a port of their own are told when burst pods are behind them, and not before', () => {
    const view = { services: [service('web', probing)], ingresses: [ingress] };
    expect(codes({ ...view, endpointSlices: [slice('web', 'node-1'), slice('other', 'virtual-kubelet')] })).toEqual([]);
    expect(found({ ...view, endpointSlices: [slice('web', 'virtual-kubelet')] })).toMatchObject([
      { code: 'health-check-port', object: 'Service shop/web', message: expect.stringContaining('probe port 22') },
      { code: 'health-check-port', object: 'Ingress shop/front' },
    ]);
  });

  it('that share a port with burst pods behind one of them', () => {
    const shared = { 'kubernetes.io/elb.id': 'elb-1' };
    const services = [
      service('web', shared),
      service('api', shared),
      service('own', { 'kubernetes.io/elb.id': 'elb-2' }),
    ];
    expect(found({ services, endpointSlices: [slice('web', 'virtual-kubelet')] })).toMatchObject([
      { code: 'shared-listener', object: 'Service shop/web', message: expect.stringContaining('Service shop/api') },
    ]);
  });
});

it('the CCE add-on is told, and its node is none that Spillway has to serve', () => {
  const pods = [addOnPod('web-1a-x'), addOnPod('web-1a-y', { phase: 'Succeeded' })];
  const view = { nodes: [node, addOnNode], deployments: [addOnProvider], pods };
  expect(found(view)).toEqual([
    {
      code: 'cce-add-on',
      severity: 'info',
      message:
        'the CCE add-on virtual-kubelet is in the cluster, with 1 pod on its node: Deployment kube-system/cceaddon-virtual-kubelet-virtual-kubelet, Node bursting-node; new pods with a burst label may run there, too',
      remedy: expect.stringContaining('spillway migrate-addon') as unknown,
    },
  ]);
  expect(codes({ nodes: [addOnNode], leases: [], pools: [] })).toEqual(['no-virtual-node', 'cce-add-on']);
});
