import type { Container, Pod, PodSpec, Volume } from '@spillway/kube';
import * as fc from 'fast-check';
import { burstLabels, burstTaint } from '../contract.ts';

// Pods that an API server accepts, dense with what decides whether a pool runs them, and in which size.

const maybe = <T>(value: fc.Arbitrary<T>, freq = 3): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq });
const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 29, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

/** Without the keys that are undefined, as objects are sent. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters, typescript/no-unsafe-type-assertion
const sent = <T>(object: object): T => JSON.parse(JSON.stringify(object)) as T;

/** Growing; the last two are beyond some pools. */
const amounts: Readonly<Record<string, readonly string[]>> = {
  cpu: ['0', '100m', '250m', '300m', '500m', '1', '2', '12', '33'],
  memory: ['0', '100Mi', '256Mi', '1Gi', '1.3Gi', '2Gi', '8Gi', '60Gi', '300Gi'],
  'ephemeral-storage': ['50Mi', '5Gi', '20G', '25Gi', '500Gi'],
};

interface Amount {
  readonly request?: string | undefined;
  readonly limit?: string | undefined;
}

/** A request is no more than its limit. */
function amount(resource: string): fc.Arbitrary<Amount> {
  const all = amounts[resource] ?? [];
  const index = fc.oneof(
    { weight: 19, arbitrary: fc.nat(all.length - 3) },
    { weight: 1, arbitrary: fc.integer({ min: all.length - 2, max: all.length - 1 }) },
  );
  return fc.oneof(
    fc.constant({}),
    index.map((at) => ({ request: all[at] })),
    index.map((at) => ({ limit: all[at] })),
    fc.tuple(index, index).map(([a, b]) => ({ request: all[Math.min(a, b)], limit: all[Math.max(a, b)] })),
  );
}

/** Overcommitting them is not allowed. */
const devices = rarely(fc.constantFrom('0', '1')).map((count): Amount => ({ request: count, limit: count }));

const anyAmounts = fc
  .record({
    cpu: amount('cpu'),
    memory: amount('memory'),
    'ephemeral-storage': fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, amount('ephemeral-storage')),
    'example.com/gpu': devices,
  })
  .map((all) => {
    const of = (kind: keyof Amount): object =>
      Object.fromEntries(Object.entries(all).map(([name, each]: readonly [string, Amount]) => [name, each[kind]]));
    return { requests: of('request'), limits: of('limit') };
  });

/** As pools sell them. */
const exactAmounts = fc
  .constantFrom(['250m', '1Gi'], ['500m', '1Gi'], ['1', '8Gi'], ['2', '4Gi'])
  .map(([cpu, memory]) => ({ requests: { cpu, memory }, limits: { cpu, memory } }));

const volumes: readonly Volume[] = [
  { name: 'scratch', emptyDir: {} },
  { name: 'memory', emptyDir: { medium: 'Memory' } },
  { name: 'settings', configMap: { name: 'settings', optional: true } },
  { name: 'login', secret: { secretName: 'login', optional: true } },
  { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
  { name: 'kube-api-access-x7x2p', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
  { name: 'share', nfs: { server: '192.168.0.9', path: '/' } },
  { name: 'host', hostPath: { path: '/' } },
  { name: 'huge', emptyDir: { medium: 'HugePages' } },
  { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
];
/** The last ones keep pods from some pools. */
const volume = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...volumes.slice(0, 6)) },
  { weight: 1, arbitrary: fc.constantFrom(...volumes.slice(6)) },
);

const containerWith = (resources: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc.record({
    image: fc.constant('busybox'),
    resources,
    securityContext: rarely(fc.record({ privileged: fc.boolean() })),
    livenessProbe: rarely(fc.constant({ exec: { command: ['true'] } })),
    startupProbe: rarely(fc.constantFrom({ tcpSocket: { port: 80 } }, { exec: { command: ['true'] } })),
    lifecycle: rarely(
      fc.constantFrom({ preStop: { sleep: { seconds: 1 } } }, { preStop: { exec: { command: ['true'] } } }),
    ),
    resizePolicy: rarely(fc.constant([{ resourceName: 'cpu', restartPolicy: 'NotRequired' }])),
  });

/** Mostly few. */
const count = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(1, 2, 3) }, fc.constantFrom(4, 5, 6, 7));

const containersOfPod = fc.tuple(fc.boolean(), count).chain(([exact, length]) => {
  const container = containerWith(exact ? exactAmounts : anyAmounts);
  return fc.record({
    containers: fc.array(container, { minLength: length, maxLength: length }),
    initContainers: fc.array(fc.record({ of: container, sidecar: fc.boolean() }), { maxLength: 2 }),
  });
});

const requiredNode = (key: string, operator: string, ...values: readonly string[]): object => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }] }],
    },
  },
});

const wholePod = fc.record({
  restartPolicy: fc.constantFrom('Always', 'Never'),
  automountServiceAccountToken: maybe(fc.boolean(), 1),
  hostNetwork: rarely(fc.boolean()),
  hostUsers: rarely(fc.boolean()),
  runtimeClassName: rarely(fc.constant('gvisor')),
  subdomain: rarely(fc.constant('db')),
  os: rarely(fc.constantFrom({ name: 'linux' }, { name: 'windows' })),
  resources: rarely(fc.constant({ limits: { cpu: '1', memory: '2Gi' } })),
  tolerations: maybe(fc.constant([{ key: burstTaint.key, operator: 'Exists' }]), 2),
  nodeSelector: rarely(
    fc.constantFrom({ 'kubernetes.io/arch': 'arm64' }, { 'kubernetes.io/arch': 'amd64' }, { team: 'b' }),
  ),
  affinity: rarely(
    fc.constantFrom(
      requiredNode('team', 'In', 'a'),
      requiredNode('kubernetes.io/arch', 'In', 'arm64'),
      requiredNode('type', 'NotIn', 'virtual-kubelet'),
    ),
  ),
  topologySpreadConstraints: rarely(
    fc.constant([{ maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' }]),
  ),
  resourceClaims: rarely(fc.constant([{ name: 'gpu' }])),
});

const spec: fc.Arbitrary<PodSpec> = fc
  .record({
    pod: wholePod,
    all: containersOfPod,
    volumes: fc.uniqueArray(volume, { selector: ({ name }) => name, maxLength: 3 }),
    mounts: fc.array(fc.record({ container: fc.nat(9), volume: fc.nat(9), subPath: rarely(fc.constant('part')) }), {
      maxLength: 3,
    }),
  })
  .map(({ pod, all: { containers, initContainers }, volumes: those, mounts }) => {
    const mounted = (index: number): Container['volumeMounts'] =>
      mounts.flatMap(({ container: at, volume: which, subPath }, mount) => {
        const name = those[which]?.name;
        return at % containers.length !== index || name === undefined
          ? []
          : [{ name, mountPath: `/mnt/${mount}`, ...(subPath !== undefined && { subPath }) }];
      });
    return sent<PodSpec>({
      ...pod,
      containers: containers.map((each, index) => ({ ...each, name: `c${index}`, volumeMounts: mounted(index) })),
      initContainers: initContainers.map(({ of, sidecar }, index) => ({
        ...of,
        name: `i${index}`,
        ...(sidecar && { restartPolicy: 'Always' }),
      })),
      volumes: those,
    });
  });

/** Each of them asks to burst. */
export const generatedBurstPod: fc.Arbitrary<Pod> = fc
  .record({ burst: fc.constantFrom('auto', 'localPrefer', 'enforce'), spec })
  .map(({ burst, spec: generated }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'uid', labels: { [burstLabels[0]]: burst } },
    spec: generated,
  }));
