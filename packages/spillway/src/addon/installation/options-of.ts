import type { Deployment, Secret, Service, Volume } from '@spillway/kube';
import { stateFolder } from './installed-config.ts';
import type { InstallationOptions, LinkServiceOptions } from './installation.ts';
import { type BroughtFile, filesFolder, type SecretMount } from './secret-mounts.ts';

/** What somebody chose for an installation, besides its configuration. */
export type Choices = Omit<InstallationOptions, 'abilities' | 'ownsNamespace' | 'ownsDefinition'>;

/** What of an installation is in the cluster. */
export interface InstalledParts {
  readonly deployment: Deployment;
  /** Of the link. */
  readonly linkService: Service | undefined;
  /** With the files of the user. */
  readonly filesSecret: Secret | undefined;
}

/** The choices with which an installation was made, however that was done: the objects say them all. */
export function choicesOf({ deployment, linkService, filesSecret }: InstalledParts): Choices {
  const { metadata, spec } = deployment;
  const pod = spec?.template.spec;
  const container = pod?.containers[0];
  const volumes = new Map((pod?.volumes ?? []).map((volume) => [volume.name, volume]));
  const mounted = container?.volumeMounts ?? [];
  const volumeAt = (folder: string): Volume | undefined =>
    volumes.get(mounted.find(({ mountPath }) => mountPath === folder)?.name ?? '');
  return {
    namespace: metadata?.namespace ?? '',
    image: container?.image ?? '',
    imagePullSecrets: (pod?.imagePullSecrets ?? []).flatMap(({ name }) => (name === undefined ? [] : [name])),
    // An uninstall that was interrupted has left none.
    replicas: Math.max(spec?.replicas ?? 1, 1),
    resources: container?.resources ?? {},
    priorityClassName: pod?.priorityClassName ?? '',
    nodeSelector: pod?.nodeSelector ?? {},
    tolerations: pod?.tolerations ?? [],
    stateClaim: volumeAt(stateFolder)?.persistentVolumeClaim?.claimName,
    mounts: mounted.flatMap(({ name, mountPath }) => mountOf(volumes.get(name), mountPath)),
    files: filesIn(volumeAt(filesFolder), filesSecret),
    linkService: linkServiceOf(linkService),
  };
}

function mountOf(volume: Volume | undefined, folder: string): SecretMount[] {
  const secret = volume?.secret?.secretName;
  return secret === undefined || folder === filesFolder ? [] : [{ secret, folder }];
}

/** Helm mounts the Secret as a whole. */
function filesIn(volume: Volume | undefined, secret: Secret | undefined): BroughtFile[] {
  if (volume?.secret === undefined) return [];
  const items = volume.secret.items ?? Object.keys(secret?.data ?? {}).map((key) => ({ key, path: key }));
  return items.map(({ key, path }) => ({
    file: path,
    content: Buffer.from(secret?.data?.[key] ?? '', 'base64'),
  }));
}

function linkServiceOf(service: Service | undefined): LinkServiceOptions {
  const type = service?.spec?.type;
  return {
    type: type === 'LoadBalancer' || type === 'NodePort' ? type : 'ClusterIP',
    annotations: service?.metadata?.annotations ?? {},
  };
}
