import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fillLate } from '../../../podspec/env.ts';
import type { PodContainer } from '../../../podspec/containers.ts';
import type { Notice } from '../../../podspec/notice.ts';
import type { Workload } from '../../backend.ts';
import { isNotFound } from '../client/errors.ts';
import { containerConfig } from '../config/container.ts';
import { nonRootViolation } from '../config/security.ts';
import type { PresentImage } from '../images.ts';
import { PodVolumes } from '../volumes/pod-volumes.ts';
import { ContainerFiles } from './container-files.ts';
import type { PodContext } from './context.ts';
import type { StartStep } from './decide.ts';
import { observeContainer } from './observe.ts';
import type { ObservedContainer, ObservedPod, ObservedSandbox } from './observed.ts';
import { sandboxConfigOf } from './sandbox-steps.ts';
import { asStep, StepError } from './step-error.ts';

export interface StartInput {
  readonly workload: Workload;
  readonly target: PodContainer;
  readonly step: StartStep;
  readonly sandbox: ObservedSandbox;
  readonly podIPs: readonly string[];
  readonly notify: (notice: Notice) => void;
}

/** Image, container, process. What an earlier try has created is used. A pull ends when the signal aborts. */
export async function startContainer(
  context: PodContext,
  input: StartInput,
  signal: AbortSignal,
): Promise<ObservedContainer> {
  const { workload, target, step, sandbox } = input;
  const { container, fieldPath } = target;
  const notify = (notice: Omit<Notice, 'fieldPath'>): void => input.notify({ ...notice, fieldPath });

  const image = step.createdId ? undefined : await ensureImage(context, input, notify, signal);
  return await context.starts.run(
    async () => {
      if (step.discardId) await context.calls.RemoveContainer({ containerId: step.discardId });
      const id = image ? await createContainer(context, input, image) : (step.createdId ?? '');
      notify({ severity: 'Normal', reason: 'Created', message: 'Container created' });
      const runtimeError = { reason: 'Failed', prefix: 'Error: ' };
      await asStep('RunContainerError', runtimeError, () => context.calls.StartContainer({ containerId: id }));
      notify({ severity: 'Normal', reason: 'Started', message: 'Container started' });
      context.logger.info(
        { uid: workload.ref.uid, container: container.name, id, attempt: step.attempt },
        'container started',
      );
      return await observeContainer(context.calls, id, sandbox.id);
    },
    // A pod that has its sandbox is finished before another one is begun.
    { signal, urgent: true },
  );
}

async function ensureImage(
  context: PodContext,
  { workload, target: { container }, sandbox }: StartInput,
  notify: (notice: Omit<Notice, 'fieldPath'>) => void,
  signal: AbortSignal,
): Promise<PresentImage> {
  const sandboxConfig = sandboxConfigOf(context, workload, sandbox.attempt);
  const credentials = workload.registryCredentials;
  const image = await context.images.ensure({ container, credentials, sandboxConfig, notify }, signal);
  const violation = nonRootViolation(workload.pod, container, image);
  if (violation !== undefined) {
    throw new StepError(violation, {
      reason: 'CreateContainerConfigError',
      notices: [{ severity: 'Warning', reason: 'Failed', message: `Error: ${violation}` }],
    });
  }
  return image;
}

async function createContainer(context: PodContext, input: StartInput, image: PresentImage): Promise<string> {
  const { workload, target, step, sandbox, podIPs } = input;
  const { container } = target;
  const { calls, store } = context;
  const directory = store.directoryOf(workload.ref.uid);
  const runtimeError = { reason: 'Failed', prefix: 'Error: ' };

  const config = await asStep('CreateContainerConfigError', runtimeError, async () => {
    const environment = fillLate(workload.environment.get(container.name) ?? [], { podIPs, hostIPs: workload.hostIPs });
    await mkdir(join(store.logDirectoryOf(workload.ref), container.name), { recursive: true, mode: 0o700 });
    const mounts = [
      ...(await new PodVolumes(directory).mountsOf(workload, container, environment)),
      ...(await new ContainerFiles(directory).mountsOf(container, step.attempt)),
    ];
    const { owner, machineMemoryBytes } = context;
    return containerConfig({
      owner,
      workload,
      image,
      environment,
      mounts,
      machineMemoryBytes,
      container,
      ...numbers(step),
    });
  });
  const sandboxConfig = sandboxConfigOf(context, workload, sandbox.attempt);
  const { containerId } = await asStep('CreateContainerError', runtimeError, () =>
    calls.CreateContainer({ podSandboxId: sandbox.id, config, sandboxConfig }),
  );
  return containerId;
}

function numbers({ attempt, backoffMs }: StartStep): Pick<StartStep, 'attempt' | 'backoffMs'> {
  return { attempt, backoffMs };
}

/**
 * Ends containers, all at the same time: SIGTERM, and SIGKILL when `graceSeconds` are over. A container that never ran is
 * removed, because the runtime has nothing to stop there. When the signal aborts, nobody waits for the end any more.
 */
export async function stopContainers(
  { calls }: PodContext,
  containers: readonly ObservedContainer[],
  graceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const timeout = Math.max(Math.ceil(graceSeconds), 0);
  await Promise.all(
    containers.map(async ({ id: containerId, state }) => {
      const call =
        state === 'created'
          ? calls.RemoveContainer({ containerId })
          : calls.StopContainer({ containerId, timeout }, { timeoutMs: (timeout + 120) * 1000, signal });
      await call.catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }),
  );
}

/** Attempts that nobody asks about any more: all but the latest two of each container. */
export function obsoleteContainers({ containers }: ObservedPod, name: string): ObservedContainer[] {
  const attempts = containers.filter((each) => each.name === name).toSorted((a, b) => b.attempt - a.attempt);
  return attempts.slice(2).filter(({ state }) => state === 'exited');
}
