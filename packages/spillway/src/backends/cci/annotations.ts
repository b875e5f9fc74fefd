import type { CciDialect } from './dialects.ts';

type Version = CciDialect['apiVersion'];

const both: readonly Version[] = ['v1', 'v2'];

/**
 * Annotations of pods that mean something to CCI, by what they are about. Only they go there with a pod: the others are for
 * people and tools at home.
 */
export const cciAnnotations: readonly {
  readonly about: string;
  readonly versions: readonly Version[];
  readonly keys: readonly string[];
}[] = [
  {
    about: 'elastic IP address',
    versions: both,
    keys: [
      'yangtse.io/pod-with-eip',
      'yangtse.io/eip-id',
      'yangtse.io/eip-network-type',
      'yangtse.io/eip-charge-mode',
      'yangtse.io/eip-bandwidth-size',
      'yangtse.io/eip-bandwidth-name',
      'yangtse.io/eip-bandwidth-id',
    ],
  },
  { about: 'elastic IP address from a pool', versions: ['v1'], keys: ['yangtse.io/eip-pool', 'yangtse.io/eippool'] },
  {
    about: 'security groups',
    versions: both,
    keys: ['yangtse.io/security-group-ids', 'yangtse.io/additional-security-group-ids'],
  },
  {
    about: 'network bandwidth',
    versions: both,
    keys: ['kubernetes.io/ingress-bandwidth', 'kubernetes.io/egress-bandwidth'],
  },
  { about: 'GPU driver', versions: ['v1'], keys: ['cri.cci.io/gpu-driver'] },
  {
    about: 'size and kind of the instance',
    versions: ['v2'],
    keys: [
      'resource.cci.io/pod-size-specs',
      'resource.cci.io/instance-type',
      'resource.cci.io/instance-type-preference',
      'resource.cci.io/resizing-large-size-instance-greater-than-32-cores',
      'resource.cci.io/memory-reservation',
      'resource.cci.io/memory-burst-size',
    ],
  },
  {
    about: 'collection of logs',
    versions: both,
    keys: [
      'logconf.k8s.io/fluent-bit-log-type',
      'logconf.k8s.io/fluent-bit-configmap-reference',
      'logconfigs.logging.openvessel.io',
      'sandbox-volume.openvessel.io/volume-names',
      'coordinator.cci.io/inject-volumes',
    ],
  },
  {
    about: 'output of containers as files',
    versions: ['v2'],
    keys: ['volume.cci.io/mount-stdlog-containers', 'volume.cci.io/mount-stdlog-containers-path'],
  },
];

export function annotationsOf(version: Version): ReadonlySet<string> {
  return new Set(cciAnnotations.flatMap(({ versions, keys }) => (versions.includes(version) ? keys : [])));
}
