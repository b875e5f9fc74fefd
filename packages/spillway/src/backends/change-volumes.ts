import type { InstanceChange, Workload } from './backend.ts';

/** The workload with the files of the change; volumes that it does not have, or that hold no such files, stay as they are. */
export function changeVolumes(workload: Workload, { volumes: changed }: InstanceChange): Workload {
  const volumes = new Map(workload.volumes);
  for (const [name, files] of changed)
    if (volumes.get(name)?.kind === 'files') volumes.set(name, { kind: 'files', files });
  return { ...workload, volumes };
}
