import type { Owner } from '../../backend.ts';
import { isNotFound } from '../client/errors.ts';
import type { RuntimeCalls } from '../client/runtime-client.ts';
import { backoffAnnotation, labels, podSelector } from '../config/marks.ts';
import type { Container__Output } from '../generated/runtime/v1/Container.ts';
import type { ContainerStatus__Output } from '../generated/runtime/v1/ContainerStatus.ts';
import type { PodSandbox__Output } from '../generated/runtime/v1/PodSandbox.ts';
import type { ObservedContainer, ObservedPod, ObservedSandbox } from './observed.ts';

/** Asks the runtime for everything of one pod. Details of containers that have not changed are taken from what is known. */
export async function observePod(
  calls: RuntimeCalls,
  owner: Owner,
  uid: string,
  known: ObservedPod,
): Promise<ObservedPod> {
  const filter = { labelSelector: podSelector(owner, uid) };
  const [{ items }, { containers }] = await Promise.all([
    calls.ListPodSandbox({ filter }),
    calls.ListContainers({ filter }),
  ]);
  const details = await Promise.all(containers.map((each) => detailOf(calls, each, known)));
  return { sandboxes: items.map(sandboxOf), containers: details.filter((each) => each !== undefined) };
}

export async function observeContainer(calls: RuntimeCalls, id: string, sandboxId: string): Promise<ObservedContainer> {
  const { status } = await calls.ContainerStatus({ containerId: id });
  return containerOf(sandboxId, status);
}

/** Equal for equal observations; what a listing of all pods can be compared by without asking for details. */
export function signatureOf(
  sandboxes: readonly { readonly id: string; readonly ready: boolean }[],
  containers: readonly { readonly id: string; readonly state: ObservedContainer['state'] }[],
): string {
  const parts = [
    ...sandboxes.map(({ id, ready }) => `${id}:${ready}`),
    ...containers.map(({ id, state }) => `${id}:${state}`),
  ];
  return parts.toSorted().join(' ');
}

function sandboxOf({ id, metadata, state, createdAt }: PodSandbox__Output): ObservedSandbox {
  return { id, attempt: metadata?.attempt ?? 0, ready: state === 'SANDBOX_READY', createdAt: millisOf(createdAt) };
}

export function stateOf(state: Container__Output['state']): ObservedContainer['state'] {
  switch (state) {
    case 'CONTAINER_CREATED':
      return 'created';
    case 'CONTAINER_RUNNING':
      return 'running';
    case 'CONTAINER_EXITED':
      return 'exited';
    default:
      return 'unknown';
  }
}

async function detailOf(
  calls: RuntimeCalls,
  container: Container__Output,
  known: ObservedPod,
): Promise<ObservedContainer | undefined> {
  const { id, podSandboxId, state } = container;
  const before = known.containers.find((each) => each.id === id);
  if (before && before.state === stateOf(state)) return before;
  try {
    return await observeContainer(calls, id, podSandboxId);
  } catch (error) {
    // Removed between the two calls.
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function containerOf(sandboxId: string, status: ContainerStatus__Output | null): ObservedContainer {
  if (!status) throw new Error('the runtime answered without a container status');
  const state = stateOf(status.state);
  const startedAt = millisOf(status.startedAt);
  return {
    id: status.id,
    name: status.labels[labels.containerName] ?? status.metadata?.name ?? '',
    attempt: status.metadata?.attempt ?? 0,
    sandboxId,
    state,
    createdAt: millisOf(status.createdAt),
    image: status.image?.image ?? '',
    imageId: status.imageRef,
    backoffMs: Number(status.annotations[backoffAnnotation] ?? 0) || 0,
    ...(startedAt > 0 && { startedAt }),
    ...(state === 'exited' && { finishedAt: millisOf(status.finishedAt), exitCode: status.exitCode }),
    ...(status.reason && { reason: status.reason }),
    ...(status.message && { message: status.message }),
  };
}

function millisOf(nanoseconds: string): number {
  return Number(BigInt(nanoseconds) / 1_000_000n);
}
