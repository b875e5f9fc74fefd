import type { Pod, Volume, VolumeProjection } from '@spillway/kube';
import { accessVolumePrefix } from '../../../podspec/references.ts';
import type { CopyNames } from '../copies/copies.ts';
import type { ClaimMounts } from './claim-mounts.ts';
import type { OwnFiles } from './own-files.ts';

interface VolumeParts {
  readonly copies: CopyNames;
  readonly own: OwnFiles;
  readonly claims: ClaimMounts;
  readonly accessToken: boolean;
}

/** The pod's volumes in the other cluster. The one that the API server adds, with a token for itself, goes along where it is of use. */
export function volumesOf({ spec }: Pod, { copies, own, claims, accessToken }: VolumeParts): Volume[] {
  return (spec?.volumes ?? [])
    .filter(({ name }) => accessToken || !name.startsWith(accessVolumePrefix))
    .map((each) => volumeOf(each, copies, own, claims));
}

function volumeOf(volume: Volume, copies: CopyNames, own: OwnFiles, claims: ClaimMounts): Volume {
  const { name, emptyDir, nfs, configMap, secret, downwardAPI, projected } = volume;
  if (emptyDir) return { name, emptyDir };
  if (nfs) return { name, nfs };
  if (volume.persistentVolumeClaim) return claims.volume(volume);
  if (configMap) return { name, configMap: { ...configMap, name: copies.configMap(configMap.name ?? '') } };
  if (secret) return { name, secret: { ...secret, secretName: copies.secret(secret.secretName ?? '') } };
  if (downwardAPI) {
    const items = own.facts(
      name,
      (downwardAPI.items ?? []).map(({ path }) => path),
    );
    return { name, configMap: { name: own.name, items } };
  }
  const { sources = [], ...rest } = projected ?? {};
  return { name, projected: { ...rest, sources: sources.flatMap((each) => projectionOf(name, each, copies, own)) } };
}

function projectionOf(volume: string, source: VolumeProjection, copies: CopyNames, own: OwnFiles): VolumeProjection[] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap) return [{ configMap: { ...configMap, name: copies.configMap(configMap.name ?? '') } }];
  if (secret) return [{ secret: { ...secret, name: copies.secret(secret.name ?? '') } }];
  if (serviceAccountToken) return [{ secret: { name: own.name, items: own.token(volume, serviceAccountToken.path) } }];
  const items = own.facts(
    volume,
    (downwardAPI?.items ?? []).map(({ path }) => path),
  );
  return items.length === 0 ? [] : [{ configMap: { name: own.name, items } }];
}
