import { randomUUID } from 'node:crypto';
import type { ConfigMap, Container, PersistentVolume, Pod, PodSpec, Secret } from '@spillway/kube';
import { resolveWorkload } from '../../podspec/resolve.ts';
import { boundClaims } from '../../podspec/testing/claims.ts';
import { revisionOf } from '../../podspec/travelling.ts';
import type { Workload } from '../backend.ts';

export interface WorkloadInput {
  readonly name?: string;
  readonly spec: Omit<Partial<PodSpec>, 'containers' | 'initContainers'> & {
    readonly containers: readonly Partial<Container>[];
    readonly initContainers?: readonly Partial<Container>[];
  };
  readonly image: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly configMaps?: Readonly<Record<string, ConfigMap>>;
  readonly secrets?: Readonly<Record<string, Secret>>;
  /** What claims are bound to, by name of the claim. */
  readonly claims?: Readonly<Record<string, PersistentVolume>>;
}

/** A workload as the pod core would make it from a pod that the API server has defaulted. */
export function makeWorkload({
  name = 'pod',
  spec,
  image,
  annotations = {},
  configMaps = {},
  secrets = {},
  claims = {},
}: WorkloadInput): Workload {
  const { containers, initContainers, ...rest } = spec;
  const complete = (partial: readonly Partial<Container>[]): Container[] =>
    partial.map((container) => ({ name: 'main', image, imagePullPolicy: 'IfNotPresent', ...container }));
  const pod: Pod = {
    metadata: { name, namespace: 'default', uid: randomUUID(), labels: { app: name }, annotations },
    spec: {
      restartPolicy: 'Always',
      nodeName: 'virtual',
      serviceAccountName: 'default',
      terminationGracePeriodSeconds: 30,
      ...rest,
      containers: complete(containers),
      ...(initContainers && { initContainers: complete(initContainers) }),
    },
  };
  const resolution = resolveWorkload(
    pod,
    {
      configMap: (each) => configMaps[each],
      secret: (each) => secrets[each],
      claims: boundClaims(claims),
      token: ({ audience }) => `token for ${audience || 'the API server'}`,
      services: [
        {
          metadata: { name: 'kubernetes', namespace: 'default' },
          spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443 }] },
        },
      ],
    },
    {
      hostIPs: ['192.0.2.1'],
      allocatable: { cpu: '4', memory: '8Gi' },
      dns: { clusterServers: ['10.96.0.10'], clusterDomain: 'cluster.local' },
    },
  );
  if (!resolution.ok) throw new Error(resolution.missing.map(({ event }) => event.message).join('; '));
  const { uid = '', namespace = '' } = pod.metadata ?? {};
  return { ref: { uid, namespace, name }, pod, revision: revisionOf(pod), ...resolution.workload };
}

/** A container that runs a shell script. */
export function script(text: string, more: Partial<Container> = {}): Partial<Container> {
  return { command: ['sh', '-c', text], ...more };
}

/** Runs until it is told to end, and ends at once then: a shell that only sleeps takes its whole grace. */
export const forever: Partial<Container> = script('trap "exit 0" TERM; sleep 3600 & wait');
