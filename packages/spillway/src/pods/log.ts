import type { InstanceRef } from '../backends/backend.ts';
import type { Operation } from './core/pod-state.ts';

/** How log lines name a pod: by name for people, by UID for everything else. */
export function podFields({ namespace, name, uid }: InstanceRef): { readonly pod: string; readonly uid: string } {
  return { pod: `${namespace}/${name}`, uid };
}

/** "could not …" */
export const operationWords: Readonly<Record<Operation['kind'], string>> = {
  create: 'create the instance of a pod',
  update: 'update the volumes of a pod',
  withdraw: 'find a place for the instance of a pod',
  stop: 'stop the instance of a pod',
  remove: 'remove the instance of a pod',
  confirmGone: 'confirm that a pod is gone',
  deletePod: 'delete a pod that has ended',
};
