import { counted } from '../../../podspec/words.ts';
import type { Node, PodTemplateSpec } from '@spillway/kube';
import { burstLabelOf } from '../../../podspec/contract.ts';
import { replaceImage } from '../../../podspec/image-replacement.ts';
import { registryNotice } from '../images/swr.ts';
import { notChecked } from './account.ts';
import { isInside, overlaps } from './cidr.ts';
import type { CciFinding, CciView } from './view.ts';

type Check = (view: CciView) => readonly CciFinding[];

/** What of the cluster and the configuration does not go together with CCI, as far as it is to be seen. */
export const surroundingsFindings: Check = (view) =>
  [addresses, tunnel, dns, images, unseen].flatMap((check) => check(view));

/** CCI has it for its own Services. */
const serviceRange = '10.247.0.0/16';

const addresses: Check = ({ interconnect, backend: { cidr }, cluster: { nodes, services } }) => {
  const inRange = nodes.filter((node) => addressesOf(node).some((address) => isInside(address, serviceRange)));
  const podRanges = [...new Set(nodes.flatMap(({ spec }) => spec?.podCIDRs ?? spec?.podCIDR ?? []))];
  const serviceAddress = services.find(
    ({ metadata }) => metadata?.name === 'kubernetes' && metadata.namespace === 'default',
  )?.spec?.clusterIP;
  const anotherSubnet = 'Give the pods of CCI another subnet.';
  return [
    ...(inRange.length === 0
      ? []
      : [
          clash(
            `pods in CCI cannot reach ${counted(inRange.length, 'node')} with addresses in ${serviceRange}, which CCI uses for its own Services`,
            'Use nodes in another subnet.',
          ),
        ]),
    ...podRanges
      .filter((range) => overlaps(range, serviceRange))
      .map((range) =>
        clash(
          `pods of the cluster have addresses in ${range}, which CCI uses for its own Services (${serviceRange}), so pods in CCI cannot reach them`,
          'Use another range for the pods of the cluster.',
        ),
      ),
    ...(cidr !== undefined && overlaps(cidr, serviceRange)
      ? [clash(`cidr ${cidr} overlaps ${serviceRange}, which CCI uses for its own Services`, anotherSubnet)]
      : []),
    ...(cidr === undefined ? [] : podRanges.filter((range) => overlaps(cidr, range))).map((range) =>
      clash(`cidr ${cidr} overlaps ${range}, the address range of the cluster's pods`, anotherSubnet),
    ),
    ...(interconnect === 'route' && serviceAddress !== undefined && isInside(serviceAddress, serviceRange)
      ? [
          clash(
            `interconnect: route cannot work: Services of the cluster have addresses in ${serviceRange} (such as ${serviceAddress}), which CCI uses for its own Services`,
            'Use interconnect: agent.',
          ),
        ]
      : []),
    ...(cidr !== undefined && serviceAddress !== undefined && isInside(serviceAddress, cidr)
      ? [
          clash(
            `cidr ${cidr} overlaps the addresses of the cluster's Services (such as ${serviceAddress})`,
            anotherSubnet,
          ),
        ]
      : []),
  ];
};

const clash = (message: string, remedy: string): CciFinding => ({
  code: 'cci-address-overlap',
  severity: 'warning',
  message,
  remedy,
});

const addressesOf = ({ status }: Node): string[] =>
  (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address);

/** Who carries packets of pods inside others, so that the VPC does not know their addresses. */
const tunnels = /flannel|weave|antrea|openvswitch|\bovs|canal/i;

const tunnel: Check = ({ cluster: { daemonSets } }) => {
  const carriers = daemonSets.filter(({ metadata }) => tunnels.test(metadata?.name ?? ''));
  return carriers.map(({ metadata }) => ({
    code: 'cci-tunnel-network',
    severity: 'warning',
    object: `DaemonSet ${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`,
    message:
      'judging by its name, the cluster uses a tunnel network, so pods in CCI and pods of the cluster cannot reach each other',
    remedy:
      'Bursting to CCI needs pod addresses that the VPC can route (in CCE: VPC network, or Cloud Native Network 2.0).',
  }));
};

const dns: Check = ({ pool, dnsServers, interconnect, cluster: { services } }) => {
  const list = `dns.clusterDNS of the pool ${pool}`;
  if (dnsServers.length === 0) {
    return [
      {
        code: 'cci-dns',
        severity: 'warning',
        message: `${list} is empty, so pods in CCI cannot resolve names of the cluster`,
        remedy:
          'Set stable addresses that the VPC can reach: those of nodes on which the DNS of the cluster listens, or of an internal load balancer in front of it.',
      },
    ];
  }
  // Where Services are routed, their addresses are reached.
  const unreachable = interconnect === 'route' ? [] : services;
  const behind = new Map(unreachable.map(({ metadata, spec }) => [spec?.clusterIP ?? '', metadata?.name ?? '']));
  return dnsServers
    .filter((server) => behind.has(server) || isInside(server, serviceRange))
    .map((server) => ({
      code: 'cci-dns',
      severity: 'warning',
      message: `${server} in ${list} is ${behind.has(server) ? `the address of the Service ${behind.get(server)}` : `in ${serviceRange}`}, which pods in CCI cannot reach`,
      remedy: 'Use addresses of nodes or of an internal load balancer instead.',
    }));
};

interface Workload {
  readonly object: string;
  readonly template: PodTemplateSpec | undefined;
}

/** Of workloads that ask to burst, and of pods that have. */
const images: Check = ({ nodeName, backend: { imageReplacements, region }, cluster }) => {
  const workloads: Workload[] = [
    ...workloadsOf('Deployment', cluster.deployments),
    ...workloadsOf('StatefulSet', cluster.statefulSets),
    ...workloadsOf('Job', cluster.jobs),
  ].filter(({ template }) => {
    const label = burstLabelOf(template?.metadata?.labels);
    return label.kind === 'valid' && label.value !== 'off';
  });
  const burst = cluster.pods
    .filter(({ spec, metadata }) => spec?.nodeName === nodeName && metadata?.ownerReferences === undefined)
    .map(({ metadata, spec }): Workload => {
      const object = `Pod ${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
      return { object, template: spec === undefined ? undefined : { spec } };
    });
  return [...workloads, ...burst].flatMap(({ object, template }) => {
    const { initContainers = [], containers = [] } = template?.spec ?? {};
    const used = new Set([...initContainers, ...containers].flatMap(({ image }) => image ?? []));
    return [...used].flatMap((image): CciFinding[] => {
      if (registryNotice(replaceImage(image, imageReplacements), region) === undefined) return [];
      const repositoryPrefix = image.slice(0, image.lastIndexOf('/'));
      return [
        {
          code: 'cci-third-party-registry',
          severity: 'warning',
          object,
          message: `CCI may be unable to reach the registry of the image "${image}"`,
          remedy: `Copy the image to SWR and add to imageReplacements: {repositoryPrefix: ${repositoryPrefix}, replaceWith: swr.${region}.myhuaweicloud.com/ORGANIZATION}.`,
        },
      ];
    });
  });
};

const workloadsOf = (
  kind: string,
  objects: readonly { metadata?: { namespace?: string; name?: string }; spec?: { template?: PodTemplateSpec } }[],
): Workload[] =>
  objects.map(({ metadata, spec }) => ({
    object: `${kind} ${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`,
    template: spec?.template,
  }));

/** What only the VPC knows, and Spillway does not ask. */
const unseen: Check = ({ backend: { securityGroupId, subnetId, cidr }, cluster: { nodes } }) => [
  notChecked(
    'which traffic the security groups allow',
    `Check in the console that the security group ${securityGroupId} of the pods allows outgoing traffic, and that the security group of the nodes allows port 53 (UDP and TCP) from ${cidr ?? `the subnet ${subnetId}`}, for DNS.`,
  ),
  notChecked(
    'how many free addresses the subnet has',
    `Check in the console that the subnet ${subnetId} has a free address for each pod in CCI. Pods without one stay Pending.`,
  ),
  ...(nodes.some(({ spec }) => spec?.podCIDR !== undefined)
    ? []
    : [
        notChecked(
          'whether pods in CCI can reach the pods of the cluster, because its nodes do not state the address ranges of their pods',
          'In CCE, the network model must be VPC network or Cloud Native Network 2.0.',
        ),
      ]),
];
