import type { ConfigMap, KubeObject, NetworkPolicy, PodDisruptionBudget, Service } from '@spillway/kube';
import { webhookAddress } from '../../admission/configurations.ts';
import type { Config } from '../../config/config.ts';
import { scheduleProfileCrd } from '../../placement/rules/schedule-profile-crd.ts';
import { labelsOf, selectorOf } from '../../podspec/installation.ts';
import { admissionManifests } from '../admission-manifests.ts';
import { rbacManifests } from '../rbac.ts';
import { rightsOf } from '../rights.ts';
import { deployment, type DeploymentOptions, portsOf } from './deployment.ts';
import { type BroughtFile, filesSecret, type SecretMount } from './secret-mounts.ts';

export interface InstallationOptions extends DeploymentOptions {
  /** The namespace is Spillway's: it is made, and only pods under Pod Security "restricted" are let in. */
  readonly ownsNamespace: boolean;
  /** The CustomResourceDefinition ScheduleProfile is Spillway's, or is not there yet: that of somebody else is used as it is. */
  readonly ownsDefinition: boolean;
  /** Which kinds of admission policies the cluster has. */
  readonly abilities: Abilities;
  /** Secrets that somebody else has made. */
  readonly mounts: readonly SecretMount[];
  /** Files of the user's machine that the configuration names. */
  readonly files: readonly BroughtFile[];
  /** How burst pods reach the link server. */
  readonly linkService: LinkServiceOptions;
}

export interface Abilities {
  /** MutatingAdmissionPolicy: Kubernetes 1.36 and newer. */
  readonly mutatingPolicies: boolean;
  /** ValidatingAdmissionPolicy: 1.30 and newer. */
  readonly validatingPolicies: boolean;
}

export interface LinkServiceOptions {
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  readonly annotations: Readonly<Record<string, string>>;
}

/** A configuration and its text, both as the pods get them: see `installedConfig`. */
export interface InstalledConfig {
  readonly config: Config;
  readonly text: string;
}

/**
 * Everything that an installation has in its cluster and that it does not make itself when it runs, in the order in which it can be
 * applied: what the process needs comes before it, and the rules that send pods to it after it.
 */
export function installationObjects(
  { config, text }: InstalledConfig,
  options: InstallationOptions,
): readonly KubeObject[] {
  const { namespace, ownsNamespace, ownsDefinition, abilities, mounts, files, replicas } = options;
  const { name } = config;
  const rights = rightsOf(config, { namespace, podWritePolicy: abilities.validatingPolicies });
  const [space, ...rbac] = rbacManifests(rights);
  const secrets = files.length === 0 ? [] : [filesSecret(name, namespace, files)];
  const content = {
    configText: text,
    configMapName: configMapName(name),
    mounts,
    files,
    filesText: JSON.stringify(secrets.map(({ data }) => data)),
  };
  return [
    ...(ownsNamespace && space !== undefined ? [restricted(space)] : []),
    ...(ownsDefinition ? [scheduleProfileCrd] : []),
    ...rbac,
    configMap(name, namespace, text),
    ...secrets,
    ...services(config, options),
    networkPolicy(config, namespace),
    ...(replicas > 1 ? [disruptionBudget(name, namespace)] : []),
    deployment(config, options, content),
    ...admissionManifests({
      installation: name,
      carrier: carrierOf(config, abilities),
      address: webhookAddress(config.admission),
      port: config.admission.port,
      served: config.admission.enabled,
      taintKeys: [...new Set(config.pools.flatMap(({ taints }) => taints.map(({ key }) => key)))],
    }),
  ];
}

export function carrierOf(
  { admission: { carrier } }: Pick<Config, 'admission'>,
  { mutatingPolicies }: Abilities,
): 'policy' | 'webhook' {
  if (carrier !== 'auto') return carrier;
  return mutatingPolicies ? 'policy' : 'webhook';
}

export const configMapName = (installation: string): string => `${installation}-config`;

function restricted(space: KubeObject): KubeObject {
  const { metadata = {} } = space;
  const labels = { ...metadata.labels, 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { ...space, metadata: { ...metadata, labels } };
}

function configMap(name: string, namespace: string, text: string): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMapName(name), namespace, labels: labelsOf(name) },
    data: { 'config.yaml': text },
  };
}

/** That of the webhooks comes with their configurations. */
function services(
  { name, link, pools }: Config,
  { namespace, linkService: { type, annotations } }: InstallationOptions,
): readonly Service[] {
  const service = (suffix: string, spec: Service['spec'], more: Readonly<Record<string, string>> = {}): Service => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: `${name}-${suffix}`,
      namespace,
      labels: labelsOf(name),
      ...(Object.keys(more).length > 0 && { annotations: { ...more } }),
    },
    spec: { selector: selectorOf(name), ...spec },
  });
  const ports = pools.map(({ kubeletPort }, index) => {
    const port = `kubelet-${index}`;
    return { name: port, port: kubeletPort, targetPort: port };
  });
  return [
    // Whoever scrapes asks each pod by itself.
    service('metrics', { clusterIP: 'None', ports }),
    ...(link.image === undefined
      ? []
      : [service('link', { type, ports: [{ name: 'link', port: link.port, targetPort: 'link' }] }, annotations)]),
  ];
}

/** Only the ports that answer. API servers, kubelets and burst pods have addresses that no selector names, so everybody may call. */
function networkPolicy(config: Config, namespace: string): NetworkPolicy {
  const { name } = config;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace, labels: labelsOf(name) },
    spec: {
      podSelector: { matchLabels: selectorOf(name) },
      policyTypes: ['Ingress'],
      ingress: [{ ports: portsOf(config).map(({ containerPort }) => ({ protocol: 'TCP', port: containerPort })) }],
    },
  };
}

function disruptionBudget(name: string, namespace: string): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace, labels: labelsOf(name) },
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: selectorOf(name) },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
