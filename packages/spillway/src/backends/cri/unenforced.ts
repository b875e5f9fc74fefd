import { containersOf } from '../../podspec/containers.ts';
import type { Notice } from '../../podspec/notice.ts';
import type { Workload } from '../backend.ts';

/** Limits that the pod names and nobody watches here; said once, so that it is no secret. */
export function unenforced({ pod, volumes }: Workload): Notice[] {
  const disks = Array.from(volumes).flatMap(([name, volume]) =>
    volume.kind === 'emptyDir' && volume.medium === '' && volume.sizeLimitBytes !== undefined ? [name] : [],
  );
  const containers = containersOf(pod)
    .filter(({ container }) => container.resources?.limits?.['ephemeral-storage'] !== undefined)
    .map(({ container }) => container.name);
  return [
    ...disks.map((name) => notice(`sizeLimit of volume "${name}"`)),
    ...containers.map((name) => notice(`ephemeral-storage limit of container "${name}"`)),
  ];
}

function notice(what: string): Notice {
  return { severity: 'Warning', reason: 'LimitNotEnforced', message: `${what} is not enforced by this pool` };
}
