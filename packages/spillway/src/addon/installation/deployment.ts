import { createHash } from 'node:crypto';
import type { Container, Deployment, PodSpec, Probe } from '@spillway/kube';
import type { Config } from '../../config/config.ts';
import { labelsOf, selectorOf } from '../../podspec/installation.ts';
import { configFile } from './installed-config.ts';
import { type PodContent, podOf, type PodOptions } from './pod.ts';

export interface DeploymentOptions extends PodOptions {
  readonly namespace: string;
  readonly replicas: number;
  /** A PersistentVolumeClaim for the state folder. Absent: the folder ends with the pod. */
  readonly stateClaim?: string | undefined;
}

export interface DeploymentContent extends PodContent {
  /** Text of the configuration file. */
  readonly configText: string;
  /** When it changes, the pods are replaced. */
  readonly filesText: string;
}

/** Each port of the pods by its name. */
export function portsOf({ observability, admission, link, pools }: Config): readonly {
  readonly name: string;
  readonly containerPort: number;
}[] {
  const { healthPort } = observability;
  return [
    ...(healthPort === undefined ? [] : [{ name: 'health', containerPort: healthPort }]),
    ...(admission.enabled ? [{ name: 'webhooks', containerPort: admission.port }] : []),
    ...(link.image === undefined ? [] : [{ name: 'link', containerPort: link.port }]),
    ...pools.map(({ kubeletPort }, index) => ({ name: `kubelet-${index}`, containerPort: kubeletPort })),
  ];
}

/** Replicas of `spillway serve`. A new one is there before an old one goes, and the leases decide who acts. */
export function deployment(config: Config, options: DeploymentOptions, content: DeploymentContent): Deployment {
  const { name } = config;
  const { namespace, replicas, stateClaim } = options;
  const selector = { matchLabels: selectorOf(name) };
  const serve = {
    name: 'spillway',
    args: ['serve', '--config', configFile],
    serviceAccountName: name,
    more: portsAndProbes(config),
    stateClaim,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: labelsOf(name) },
    spec: {
      replicas,
      revisionHistoryLimit: 3,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector,
      template: {
        metadata: {
          labels: labelsOf(name),
          annotations: { 'spillway.dev/config-digest': digestOf(content.configText, content.filesText) },
        },
        spec: {
          ...podOf(name, serve, options, content),
          // A graceful stop takes 20 s at most.
          terminationGracePeriodSeconds: 30,
          topologySpreadConstraints: [
            spread(name, 'kubernetes.io/hostname'),
            spread(name, 'topology.kubernetes.io/zone'),
          ],
        },
      },
    },
  };
}

const digestOf = (...texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16);

const spread = (
  installation: string,
  topologyKey: string,
): NonNullable<PodSpec['topologySpreadConstraints']>[number] => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: selectorOf(installation) },
  matchLabelKeys: ['pod-template-hash'],
});

function portsAndProbes(config: Config): Pick<Container, 'ports' | 'livenessProbe' | 'readinessProbe'> {
  const { healthPort } = config.observability;
  return {
    ports: portsOf(config).map((port) => ({ ...port, protocol: 'TCP' })),
    ...(healthPort !== undefined && {
      livenessProbe: probe('/healthz', { periodSeconds: 10, initialDelaySeconds: 10, failureThreshold: 6 }),
      readinessProbe: probe('/readyz', { periodSeconds: 2, failureThreshold: 3 }),
    }),
  };
}

const probe = (path: string, more: Probe): Probe => ({
  httpGet: { path, port: 'health', scheme: 'HTTPS' },
  timeoutSeconds: 5,
  ...more,
});
