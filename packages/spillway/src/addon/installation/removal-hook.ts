import type { KubeObject, PodTemplateSpec } from '@spillway/kube';
import type { Config } from '../../config/config.ts';
import { removalRights } from '../removal-rights.ts';
import { configFile } from './installed-config.ts';
import { type PodContent, podOf, type PodOptions } from './pod.ts';

export interface RemovalHookOptions extends PodOptions {
  /** Of the release. */
  readonly namespace: string;
  readonly keepCrds: boolean;
  readonly timeoutSeconds: number;
}

interface Job extends KubeObject {
  readonly spec: { readonly backoffLimit: number; readonly template: PodTemplateSpec };
}

/** Not that of an installation: an uninstall would take its own rights away. */
const labels = { 'app.kubernetes.io/name': 'spillway-uninstall' };

/**
 * What `helm uninstall` runs before it removes the objects of a release: what it does not know of goes, too.
 * https://helm.sh/docs/topics/charts_hooks
 *
 * @param objects of the installation
 */
export function removalHook(
  config: Config,
  options: RemovalHookOptions,
  content: PodContent,
  objects: readonly KubeObject[],
): readonly KubeObject[] {
  const { namespace, keepCrds, timeoutSeconds } = options;
  const name = `${config.name}-uninstall`;
  const uninstall = {
    name: 'uninstall',
    args: [
      'uninstall',
      `--config=${configFile}`,
      '--helm-hook',
      `--namespace=${namespace}`,
      `--timeout=${timeoutSeconds}`,
      '--yes',
      ...(keepCrds ? ['--keep-crds'] : []),
    ],
    serviceAccountName: name,
  };
  const job: Job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, labels, annotations: hook(2) },
    spec: {
      backoffLimit: 2,
      template: {
        metadata: { labels },
        spec: { ...podOf(config.name, uninstall, options, content), restartPolicy: 'Never' },
      },
    },
  };
  const annotations = hook(1);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, labels, annotations: hook(0) } },
    ...removalRights({ config, namespace, objects, keepCrds, name, labels, annotations }),
    job,
  ];
}

const hook = (weight: number): Record<string, string> => ({
  'helm.sh/hook': 'pre-delete',
  'helm.sh/hook-weight': String(weight),
  'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
});
