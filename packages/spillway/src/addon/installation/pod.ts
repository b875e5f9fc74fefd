import type { Container, PodSpec, ResourceRequirements, Toleration } from '@spillway/kube';
import { virtualNodeType } from '../../podspec/contract.ts';
import { configFile, stateFolder } from './installed-config.ts';
import { type BroughtFile, type SecretMount, volumesOf } from './secret-mounts.ts';

export interface PodOptions {
  readonly image: string;
  readonly imagePullSecrets: readonly string[];
  readonly resources: ResourceRequirements;
  readonly priorityClassName: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
}

export interface PodContent {
  readonly configMapName: string;
  readonly mounts: readonly SecretMount[];
  readonly files: readonly BroughtFile[];
}

/** A command of Spillway in a pod. */
export interface PodCommand {
  /** Name of the container. */
  readonly name: string;
  /** Its arguments find the configuration in `configFile`. */
  readonly args: readonly string[];
  readonly serviceAccountName: string;
  /** What else is said of the container. */
  readonly more?: Pick<Container, 'ports' | 'livenessProbe' | 'readinessProbe'>;
  /** A PersistentVolumeClaim for the state folder. Absent: the folder ends with the pod. */
  readonly stateClaim?: string | undefined;
}

/** Of the image; it has no name there. */
const user = 65_532;

/** A pod of an installation: under Pod Security "restricted", on a real node, with the configuration and the files that it names. */
export function podOf(installation: string, command: PodCommand, options: PodOptions, content: PodContent): PodSpec {
  const { name, args, serviceAccountName, more, stateClaim } = command;
  const { image, imagePullSecrets, resources, priorityClassName, nodeSelector, tolerations } = options;
  const { configMapName, mounts, files } = content;
  const { volumes, volumeMounts } = volumesOf(installation, mounts, files);
  return {
    serviceAccountName,
    enableServiceLinks: false,
    priorityClassName,
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
    containers: [
      {
        name,
        image,
        args: [...args],
        resources,
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        ...more,
        volumeMounts: [
          // The file alone, so that folders of Secrets can be next to it. A change replaces the pods.
          { name: 'config', mountPath: configFile, subPath: 'config.yaml', readOnly: true },
          { name: 'state', mountPath: stateFolder },
          { name: 'tmp', mountPath: '/tmp' },
          ...volumeMounts,
        ],
      },
    ],
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
