import type { Secret, Volume, VolumeMount } from '@spillway/kube';
import { labelsOf } from '../../podspec/installation.ts';

/** A folder of the pods that has what a Secret of their namespace holds. */
export interface SecretMount {
  readonly secret: string;
  readonly folder: string;
  /** Names of the files by keys of the Secret. Absent: each key is a file. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface FileContent {
  readonly file: string;
  readonly content: Uint8Array;
}

/** Is the file, or the folder, there without being brought? */
export const isMounted = (file: string, mounts: readonly SecretMount[]): boolean =>
  mounts.some(({ folder }) => file === folder || file.startsWith(`${folder}/`));

export const filesSecretName = (installation: string): string => `${installation}-files`;

/** Files of the user's machine, found in the pods at the same paths. */
export function filesSecret(installation: string, namespace: string, files: readonly FileContent[]): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: filesSecretName(installation), namespace, labels: labelsOf(installation) },
    type: 'Opaque',
    data: Object.fromEntries(
      files.map(({ file, content }, index) => [keyOf(file, index), Buffer.from(content).toString('base64')]),
    ),
  };
}

export function mountsOfFiles(installation: string, files: readonly FileContent[]): readonly SecretMount[] {
  const keyed = files.map(({ file }, index) => ({ key: keyOf(file, index), ...split(file) }));
  return Array.from(
    Map.groupBy(keyed, ({ folder }) => folder),
    ([folder, inside]) => ({
      secret: filesSecretName(installation),
      folder,
      files: Object.fromEntries(inside.map(({ key, name }) => [key, name])),
    }),
  );
}

/** Keys may not have every character that file names have. */
const keyOf = (file: string, index: number): string =>
  `${index}-${split(file).name.replaceAll(/[^-._A-Za-z0-9]/g, '_')}`;

function split(file: string): { readonly folder: string; readonly name: string } {
  const end = file.lastIndexOf('/');
  return { folder: file.slice(0, end), name: file.slice(end + 1) };
}

export function volumesOf(mounts: readonly SecretMount[]): {
  readonly volumes: Volume[];
  readonly volumeMounts: VolumeMount[];
} {
  const named = mounts.map((mount, index) => ({ ...mount, name: `secret-${index}` }));
  return {
    volumes: named.map(({ name, secret, files }) => ({
      name,
      secret: {
        secretName: secret,
        // Read by the group of the pod.
        defaultMode: 0o440,
        ...(files && { items: Object.entries(files).map(([key, path]) => ({ key, path })) }),
      },
    })),
    volumeMounts: named.map(({ name, folder }) => ({ name, mountPath: folder, readOnly: true })),
  };
}
