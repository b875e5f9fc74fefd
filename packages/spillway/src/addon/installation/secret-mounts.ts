import type { Secret, Volume, VolumeMount } from '@spillway/kube';
import { labelsOf } from '../../podspec/installation.ts';

/** A folder of the pods that has what a Secret of their namespace holds. */
export interface SecretMount {
  readonly secret: string;
  readonly folder: string;
}

/** A file of the user's machine that the pods get. */
export interface BroughtFile {
  /** Its path within `filesFolder`. */
  readonly file: string;
  readonly content: Uint8Array;
}

/** Where the pods find the files of the user's machine. */
export const filesFolder = '/etc/spillway/files';

/** Is the file, or the folder, there without being brought? */
export const isMounted = (file: string, mounts: readonly SecretMount[]): boolean =>
  mounts.some(({ folder }) => file === folder || file.startsWith(`${folder}/`));

/** Folders of the image or of the pods that a mount would hide, and those into which the user of the pods may not look. */
const unsuitable =
  /^\/(((bin|boot|dev|lib|lib64|proc|root|run|sbin|sys|usr)(\/.*)?)|etc|etc\/(ssl|pki)(\/.*)?|etc\/spillway|etc\/spillway\/(files|config\.yaml)(\/.*)?|home|opt|srv|tmp|var|var\/(lib|run)(\/spillway)?)?$/;

export const isSuitableFolder = (folder: string): boolean => !unsuitable.test(folder);

export const filesSecretName = (installation: string): string => `${installation}-files`;

export function filesSecret(installation: string, namespace: string, files: readonly BroughtFile[]): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: filesSecretName(installation), namespace, labels: labelsOf(installation) },
    type: 'Opaque',
    data: Object.fromEntries(files.map(({ file, content }) => [keyOf(file), Buffer.from(content).toString('base64')])),
  };
}

/** Keys may not have every character that paths have. */
const keyOf = (file: string): string => file.replaceAll(/[^-._A-Za-z0-9]/g, '_');

interface Volumes {
  readonly volumes: Volume[];
  readonly volumeMounts: VolumeMount[];
}

/** @param files without their content */
export function volumesOf(
  installation: string,
  mounts: readonly SecretMount[],
  files: readonly Pick<BroughtFile, 'file'>[],
): Volumes {
  const items = files.map(({ file }) => ({ key: keyOf(file), path: file }));
  const all = [
    ...mounts.map(({ secret, folder }, index) => ({
      name: `secret-${index}`,
      secretName: secret,
      folder,
      items: undefined,
    })),
    ...(items.length === 0
      ? []
      : [{ name: 'files', secretName: filesSecretName(installation), folder: filesFolder, items }]),
  ];
  return {
    // Read by the group of the pod.
    volumes: all.map(({ name, secretName, items: only }) => ({
      name,
      secret: { secretName, defaultMode: 0o440, ...(only && { items: only }) },
    })),
    volumeMounts: all.map(({ name, folder }) => ({ name, mountPath: folder, readOnly: true })),
  };
}
