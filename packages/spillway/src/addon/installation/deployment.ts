import { createHash } from 'node:crypto';
import type { Container, Deployment, PodSpec, Probe, ResourceRequirements, Toleration } from '@spillway/kube';
import type { Config } from '../../config/config.ts';
import { virtualNodeType } from '../../podspec/contract.ts';
import { labelsOf, selectorOf } from '../../podspec/installation.ts';
import { configFile, stateFolder } from './installed-config.ts';
import { type BroughtFile, type SecretMount, volumesOf } from './secret-mounts.ts';

export interface DeploymentOptions {
  readonly namespace: string;
  readonly image: string;
  readonly imagePullSecrets: readonly string[];
  readonly replicas: number;
  readonly resources: ResourceRequirements;
  readonly priorityClassName: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  /** A PersistentVolumeClaim for the state folder. Absent: the folder ends with the pod. */
  readonly stateClaim?: string | undefined;
}

export interface DeploymentContent {
  /** Text of the configuration file. */
  readonly configText: string;
  readonly configMapName: string;
  readonly mounts: readonly SecretMount[];
  readonly files: readonly BroughtFile[];
  /** When it changes, the pods are replaced. */
  readonly filesText: string;
}

/** Of the image; it has no name there. */
const user = 65_532;

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
  const { namespace, replicas } = options;
  const selector = { matchLabels: selectorOf(name) };
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
        spec: podSpec(config, options, content),
      },
    },
  };
}

const digestOf = (...texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16);

function podSpec(
  config: Config,
  options: DeploymentOptions,
  { configMapName, mounts, files }: DeploymentContent,
): PodSpec {
  const { name } = config;
  const { imagePullSecrets, priorityClassName, nodeSelector, tolerations, stateClaim } = options;
  const { volumes, volumeMounts } = volumesOf(name, mounts, files);
  const spread = (topologyKey: string): NonNullable<PodSpec['topologySpreadConstraints']>[number] => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: selectorOf(name) },
    matchLabelKeys: ['pod-template-hash'],
  });
  return {
    serviceAccountName: name,
    enableServiceLinks: false,
    priorityClassName,
    // A graceful stop takes 20 s at most.
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(imagePullSecrets.length > 0 && { imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })) }),
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector: { ...nodeSelector } }),
    ...(tolerations.length > 0 && { tolerations: [...tolerations] }),
    affinity: { nodeAffinity: onRealNodes },
    topologySpreadConstraints: [spread('kubernetes.io/hostname'), spread('topology.kubernetes.io/zone')],
    containers: [container(config, options, volumeMounts)],
    volumes: [
      { name: 'config', configMap: { name: configMapName } },
      {
        name: 'state',
        ...(stateClaim === undefined ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: stateClaim } }),
      },
      { name: 'tmp', emptyDir: {} },
      ...volumes,
    ],
  };
}

/** What serves virtual nodes does not run on one, also where these have no taints. */
const onRealNodes = {
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: virtualNodeType.key, operator: 'NotIn', values: [virtualNodeType.value] }] },
    ],
  },
};

function container(
  config: Config,
  { image, resources }: DeploymentOptions,
  secretMounts: NonNullable<Container['volumeMounts']>,
): Container {
  const { healthPort } = config.observability;
  return {
    name: 'spillway',
    image,
    args: ['serve', '--config', configFile],
    ports: portsOf(config).map((port) => ({ ...port, protocol: 'TCP' })),
    resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    ...(healthPort !== undefined && {
      livenessProbe: probe('/healthz', { periodSeconds: 10, initialDelaySeconds: 10, failureThreshold: 6 }),
      readinessProbe: probe('/readyz', { periodSeconds: 2, failureThreshold: 3 }),
    }),
    volumeMounts: [
      // The file alone, so that folders of Secrets can be next to it. A change replaces the pods.
      { name: 'config', mountPath: configFile, subPath: 'config.yaml', readOnly: true },
      { name: 'state', mountPath: stateFolder },
      { name: 'tmp', mountPath: '/tmp' },
      ...secretMounts,
    ],
  };
}

const probe = (path: string, more: Probe): Probe => ({
  httpGet: { path, port: 'health', scheme: 'HTTPS' },
  timeoutSeconds: 5,
  ...more,
});
