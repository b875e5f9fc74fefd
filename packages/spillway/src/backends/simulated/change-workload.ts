import { credentialsOf } from '../../podspec/registry-credentials.ts';
import type { InstanceChange, Workload } from '../backend.ts';

/**
 * The workload as the pod is now, with the files and logins of the change; volumes that it does not have, or that hold no such
 * files, stay as they are.
 */
export function changeWorkload(
  before: Workload,
  { volumes: changed, objects, pullSecrets, workload = before }: InstanceChange,
): Workload {
  const volumes = new Map([...before.volumes, ...workload.volumes]);
  for (const [name, files] of changed)
    if (volumes.get(name)?.kind === 'files') volumes.set(name, { kind: 'files', files });
  const registryCredentials = pullSecrets?.flatMap((name) => {
    const secret = objects.secrets.get(name);
    const read = secret && credentialsOf(secret);
    return read?.ok === true ? read.credentials : [];
  });
  return { ...workload, volumes, ...(registryCredentials && { registryCredentials }) };
}
