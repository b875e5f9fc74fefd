import type { Deployment, KubeObject } from '@spillway/kube';
import { parse, stringify } from 'yaml';
import { parseConfig } from '../../config/load.ts';
import { type InstallationOptions, type InstalledConfig, installationObjects } from '../installation/installation.ts';
import { installedConfig } from '../installation/installed-config.ts';
import { resourcesFor, usualPods } from '../installation/resources.ts';

export const namespace = 'spillway-system';

export const simulatedPool = `
pools:
  - name: rehearsal
    nodeName: virtual-kubelet
    backend: {type: simulated}
`;

/** As the pods get what somebody has written. */
export function configOf(written: string): InstalledConfig {
  const text = stringify(installedConfig(parse(written), namespace));
  return { text, config: parseConfig(text, 'config.yaml') };
}

export const usualOptions: InstallationOptions = {
  namespace,
  ownsNamespace: true,
  ownsDefinition: true,
  image: 'registry.example.com/spillway@sha256:0123',
  imagePullSecrets: [],
  replicas: 1,
  resources: resourcesFor(usualPods),
  priorityClassName: 'system-cluster-critical',
  nodeSelector: {},
  tolerations: [],
  abilities: { mutatingPolicies: true, validatingPolicies: true },
  mounts: [],
  files: [],
  linkService: { type: 'ClusterIP', annotations: {} },
};

export const objectsOf = (
  written: string = simulatedPool,
  options: Partial<InstallationOptions> = {},
): readonly KubeObject[] => installationObjects(configOf(written), { ...usualOptions, ...options });

export function deploymentIn(objects: readonly KubeObject[]): Deployment {
  const found = objects.find((object): object is Deployment => object.kind === 'Deployment');
  if (found === undefined) throw new Error('there is no Deployment');
  return found;
}
