import { configMaps, events, type Pod, pods, type ResourceType, secrets } from '@spillway/kube';
import type { Capacity, DnsConfig, Owner } from '../backend.ts';
import { type Dialect, explicitDns } from '../kubernetes/dialect.ts';
import type { CciDialect } from './dialects.ts';
import { toBackendError } from './errors.ts';
import { cciSupport } from './fields.ts';
import { pullSecretName } from './images/pull-secret.ts';
import { pullRemedy } from './images/swr.ts';
import { claimBinding } from './storage/binding.ts';

/** What the vendor's own virtual node offers: CCI has no nodes, and says nothing of how much there is. */
const capacity: Capacity = { cpu: '200k', memory: '1600000Gi', pods: '200k' };

/** How pods run in CCI, for what runs pods in a namespace of any cluster. */
export function podDialect(
  { apiVersion, podApiVersion, lacks }: CciDialect,
  { region, volumeRefresh }: { readonly region: string; readonly volumeRefresh: boolean },
): Dialect {
  const inGroup = <T>(type: ResourceType<T>): ResourceType<T> => ({ ...type, apiVersion: podApiVersion });
  return {
    name: 'cci',
    types: { pods: inGroup(pods), configMaps: inGroup(configMaps), secrets: inGroup(secrets), events: inGroup(events) },
    version: apiVersion,
    architecture: 'amd64',
    support: cciSupport[apiVersion],
    capacity,
    verbs: {
      attach: !lacks.attach,
      portForward: !lacks.portForward,
      ephemeralContainers: !lacks.ephemeralContainers,
    },
    noMetrics: lacks.metrics ? 'CCI 2.0 has no metrics API (metrics.k8s.io)' : undefined,
    watchList: !lacks.watchList,
    sinceTime: !lacks.sinceTime,
    // Only labels, annotations and images of a pod can be changed.
    finalizer: undefined,
    changes: { resize: false, deadline: false },
    volumeUpdates: volumeRefresh,
    clusterServices: false,
    pullSecret: pullSecretName,
    // Pods have no account with which they could ask for anything.
    runsJobs: false,
    // That takes a part of an emptyDir.
    hostsFile: { canBeWritten: false, remedy: 'If the application needs the name, pass it in an environment variable' },
    claims: claimBinding(apiVersion),
    annotations: vendorAnnotations,
    dns: patientDns,
    remedyOf: (message) => pullRemedy(message, region),
    errorOf: toBackendError,
  };
}

/** What the vendor's tools look for. */
function vendorAnnotations({ metadata = {} }: Pod, { clusterId, nodeName }: Owner): Record<string, string> {
  const { namespace = '', name = '', uid = '', creationTimestamp } = metadata;
  return {
    'virtual-kubelet-namespace': namespace,
    'virtual-kubelet-podname': name,
    'virtual-kubelet-clustername': clusterId,
    'virtual-kubelet-uid': uid,
    'virtual-kubelet-nodename': nodeName,
    ...(creationTimestamp !== undefined && { 'virtual-kubelet-creationtimestamp': goTime(creationTimestamp) }),
  };
}

/** As Go prints a time: `2006-01-02 15:04:05 +0000 UTC`. */
function goTime(timestamp: string): string {
  return new Date(timestamp)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' +0000 UTC');
}

/** The addresses are those of pods or nodes, and not of a Service that goes on when one of them is gone. */
function patientDns(config: DnsConfig | undefined): ReturnType<Dialect['dns']> {
  if (config === undefined || config.servers.length === 0) return explicitDns(config);
  const isSet = (name: string): boolean => config.options.some((option) => option.split(':')[0] === name);
  const more = ['timeout:1', 'attempts:2'].filter((option) => !isSet(option.slice(0, option.indexOf(':'))));
  return explicitDns({ ...config, options: [...config.options, ...more] });
}
