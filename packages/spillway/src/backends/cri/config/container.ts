import type { Container } from '@spillway/kube';
import { containerCgroup, oomScoreAdj } from '../../../podspec/cgroups.ts';
import { expandAll } from '../../../podspec/env.ts';
import type { Owner, Workload } from '../../backend.ts';
import type { ContainerConfig } from '../generated/runtime/v1/ContainerConfig.ts';
import type { LinuxContainerResources } from '../generated/runtime/v1/LinuxContainerResources.ts';
import type { Mount } from '../generated/runtime/v1/Mount.ts';
import { backoffAnnotation, labels, podMarks } from './marks.ts';
import { containerSecurity, type ImageUser } from './security.ts';

export interface ContainerInput {
  readonly owner: Owner;
  readonly workload: Workload;
  readonly container: Container;
  readonly attempt: number;
  readonly backoffMs: number;
  readonly image: ImageUser & { readonly id: string };
  /** Final values. */
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly machineMemoryBytes: number;
}

export function containerConfig(input: ContainerInput): ContainerConfig {
  const { owner, workload, container, attempt, backoffMs, image, environment, mounts } = input;
  const { pod, ref } = workload;
  return {
    metadata: { name: container.name, attempt },
    image: { image: image.id, userSpecifiedImage: container.image ?? '' },
    command: expandAll(container.command ?? [], environment),
    args: expandAll(container.args ?? [], environment),
    workingDir: container.workingDir ?? '',
    envs: Array.from(environment, ([key, value]) => ({ key, value: Buffer.from(value, 'utf8') })),
    mounts: [...mounts],
    labels: { ...podMarks(owner, ref), [labels.containerName]: container.name },
    annotations: { ...podMarks(owner, ref), [backoffAnnotation]: String(backoffMs) },
    logPath: logPath(container.name, attempt),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: resources(input),
      securityContext: containerSecurity(pod, container, image),
    },
  };
}

/** Below the pod's log directory. */
export function logPath(container: string, attempt: number): string {
  return `${container}/${attempt}.log`;
}

function resources({ workload: { pod }, container, machineMemoryBytes }: ContainerInput): LinuxContainerResources {
  const { cpuShares, cpuPeriod, cpuQuota, memoryBytes } = containerCgroup(container);
  return {
    cpuShares,
    cpuPeriod,
    oomScoreAdj: oomScoreAdj(pod, container, machineMemoryBytes),
    ...(cpuQuota !== undefined && { cpuQuota }),
    ...(memoryBytes !== undefined && { memoryLimitInBytes: memoryBytes }),
  };
}
