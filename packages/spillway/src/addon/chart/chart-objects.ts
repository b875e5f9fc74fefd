import type { KubeObject } from '@spillway/kube';
import { parseConfig } from '../../config/load.ts';
import { keptByHelm } from '../helm-release.ts';
import { configMapName, type InstallationOptions, installationObjects } from '../installation/installation.ts';
import { removalHook } from '../installation/removal-hook.ts';
import { marks, spliceKey } from './marks.ts';
import type { Settings } from './variants.ts';

/** What the templates ask of the facts, as `$s.has.FEATURE`. All of them on is the largest installation. */
export const features = [
  'placement',
  'approval',
  'webhooks',
  'policies',
  'webhookRules',
  'podWritePolicy',
  'link',
  'webhookService',
  'replicas',
  'imagePullSecrets',
  'nodeSelector',
  'tolerations',
  'secrets',
  'stateClaim',
  'linkAnnotations',
  'crd',
  'uninstall',
  'removesCrds',
] as const;
export type Feature = (typeof features)[number];

export const allFeatures: Settings<Feature> = {
  placement: true,
  approval: true,
  webhooks: true,
  policies: true,
  webhookRules: true,
  podWritePolicy: true,
  link: true,
  webhookService: true,
  replicas: true,
  imagePullSecrets: true,
  nodeSelector: true,
  tolerations: true,
  secrets: true,
  stateClaim: true,
  linkAnnotations: true,
  crd: true,
  uninstall: true,
  removesCrds: true,
};

/** Helm does not install the object, but runs it: `removalHook`. */
export const hookAnnotation = 'helm.sh/hook';
/** The objects of an installation with marks for all that can be chosen. */
export function markedObjects(has: Settings<Feature>): readonly KubeObject[] {
  const config = parseConfig(JSON.stringify(markedConfig(has)), '');
  const options = optionsOf(has);
  const objects = installationObjects({ config, text: marks.configText }, options);
  const hook = {
    ...options,
    keepCrds: !has.removesCrds,
    timeoutSeconds: marks.uninstallSeconds,
  };
  const content = { configMapName: configMapName(config.name), mounts: options.mounts, files: [] };
  return [...objects.map(keptByHelm), ...(has.uninstall ? removalHook(config, hook, content, objects) : [])];
}

function markedConfig(has: Settings<Feature>): object {
  const { namespace } = marks;
  return {
    name: marks.name,
    pools: [
      {
        name: marks.poolName,
        nodeName: marks.nodeName,
        kubeletPort: marks.kubeletPort,
        taints: [{ key: marks.taintKey, effect: 'NoSchedule' }],
        servingCertificate: { csr: { approve: has.approval } },
        backend: { type: 'simulated' },
      },
    ],
    placement: { enabled: has.placement },
    leaderElection: { enabled: true, namespace, leaseName: marks.lease },
    admission: {
      enabled: has.webhooks,
      carrier: has.webhookRules ? 'auto' : 'policy',
      port: marks.webhookPort,
      namespace,
      serviceName: marks.webhookService,
      ...(has.webhookService ? {} : { url: marks.webhookUrl }),
    },
    observability: { healthPort: marks.healthPort },
    link: { port: marks.linkPort, namespace, ...(has.link ? { image: 'a' } : {}) },
  };
}

const splice = (name: string): Record<string, string> => ({ [spliceKey]: name });

function optionsOf(has: Settings<Feature>): InstallationOptions {
  return {
    namespace: marks.namespace,
    ownsNamespace: false,
    ownsDefinition: has.crd,
    image: marks.image,
    imagePullSecrets: has.imagePullSecrets ? [marks.pullSecret] : [],
    replicas: has.replicas ? marks.replicas : 1,
    resources: { requests: splice('resources.requests'), limits: splice('resources.limits') },
    priorityClassName: marks.priority,
    nodeSelector: has.nodeSelector ? splice('nodeSelector') : {},
    tolerations: has.tolerations ? [splice('tolerations')] : [],
    stateClaim: has.stateClaim ? marks.claim : undefined,
    abilities: { mutatingPolicies: has.policies, validatingPolicies: has.podWritePolicy },
    mounts: has.secrets ? [{ secret: marks.secret, folder: marks.folder }] : [],
    files: [],
    linkService: { type: marks.linkType, annotations: has.linkAnnotations ? splice('linkService.annotations') : {} },
  };
}
