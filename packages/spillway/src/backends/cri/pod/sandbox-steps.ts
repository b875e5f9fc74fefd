import { mkdir } from 'node:fs/promises';
import { podCgroup } from '../../../podspec/cgroups.ts';
import type { Workload } from '../../backend.ts';
import { isNotFound, isUnavailable } from '../client/errors.ts';
import { hostsFile, podHostname } from '../config/hostname.ts';
import { sandboxConfig } from '../config/sandbox.ts';
import type { PodSandboxConfig } from '../generated/runtime/v1/PodSandboxConfig.ts';
import { PodVolumes } from '../volumes/pod-volumes.ts';
import { ContainerFiles } from './container-files.ts';
import type { PodContext } from './context.ts';
import type { ObservedPod, ObservedSandbox } from './observed.ts';
import { asStep } from './step-error.ts';

const removeTries = 5;
const removeRetryMs = 300;

export interface MadeSandbox {
  readonly sandbox: ObservedSandbox;
  readonly podIPs: readonly string[];
}

export function sandboxConfigOf(context: PodContext, workload: Workload, attempt: number): PodSandboxConfig {
  return sandboxConfig({
    owner: context.owner,
    workload,
    attempt,
    logDirectory: context.store.logDirectoryOf(workload.ref),
    cgroupParent: context.cgroups.pathOf(workload.ref.uid),
  });
}

/** Volumes, control group, then the sandbox, whose making also gives the pod its addresses. May be repeated at any point. */
export async function createSandbox(
  context: PodContext,
  workload: Workload,
  attempt: number,
  before: ObservedPod,
): Promise<MadeSandbox> {
  const { calls, store, cgroups } = context;
  const { uid } = workload.ref;
  const directory = store.directoryOf(uid);
  await asStep('ContainerCreating', { reason: 'FailedMount', prefix: 'MountVolume.SetUp failed: ' }, () =>
    new PodVolumes(directory).setUp(workload),
  );
  const sandboxFailure = { reason: 'FailedCreatePodSandBox', prefix: 'Failed to create pod sandbox: ' };
  return await asStep('ContainerCreating', sandboxFailure, async () => {
    await mkdir(store.logDirectoryOf(workload.ref), { recursive: true, mode: 0o700 });
    await cgroups.create(uid, podCgroup(workload.pod));
    await retireSandboxes(context, before);
    const config = sandboxConfigOf(context, workload, attempt);
    const { podSandboxId } = await context.starts.run(() => calls.RunPodSandbox({ config }));
    const podIPs = await addressesOf(context, podSandboxId);
    await writeHosts(context, workload, podIPs);
    return { sandbox: { id: podSandboxId, attempt, ready: true, createdAt: context.clock.now() }, podIPs };
  });
}

/** Dead sandboxes release their network; those without containers, whose logs and exit codes we may want, go altogether. */
async function retireSandboxes({ calls }: PodContext, { sandboxes, containers }: ObservedPod): Promise<void> {
  for (const { id: podSandboxId } of sandboxes) {
    const used = containers.some(({ sandboxId }) => sandboxId === podSandboxId);
    await (used ? calls.StopPodSandbox({ podSandboxId }) : calls.RemovePodSandbox({ podSandboxId })).catch(
      ignoreNotFound,
    );
  }
}

async function addressesOf({ calls }: PodContext, podSandboxId: string): Promise<string[]> {
  const { status } = await calls.PodSandboxStatus({ podSandboxId });
  const { ip = '', additionalIps = [] } = status?.network ?? {};
  return [ip, ...additionalIps.map((each) => each.ip)].filter((each) => each !== '');
}

async function writeHosts({ store }: PodContext, workload: Workload, podIPs: readonly string[]): Promise<void> {
  const { pod, ref, clusterDomain = '' } = workload;
  await new ContainerFiles(store.directoryOf(ref.uid)).writeHosts(
    hostsFile(pod, podHostname(pod, clusterDomain), podIPs),
  );
}

/** Releases the pod's network; what runs in the sandbox is killed. Success when it is gone. */
export async function stopSandbox({ calls }: PodContext, podSandboxId: string): Promise<void> {
  await calls.StopPodSandbox({ podSandboxId }).catch(ignoreNotFound);
}

/** Takes away everything of an instance: sandboxes with their containers, running or not, volumes, control group, logs and folder. May be repeated. */
export async function destroy(context: PodContext, workload: Workload, { sandboxes }: ObservedPod): Promise<void> {
  const { store, cgroups } = context;
  const { ref } = workload;
  for (const { id } of sandboxes) await removeSandbox(context, id);
  const mounted = [...workload.volumes.values()].some(({ kind }) => kind === 'emptyDir') || usesSubPaths(workload);
  if (mounted) await new PodVolumes(store.directoryOf(ref.uid)).tearDown();
  await cgroups.remove(ref.uid);
  await store.remove(ref);
}

/** A container that ends in the same moment makes the runtime stumble; a while later it finds it ended. */
async function removeSandbox({ calls, clock }: PodContext, podSandboxId: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await calls.RemovePodSandbox({ podSandboxId });
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (isUnavailable(error) || attempt === removeTries) throw error;
    }
    await clock.sleep(removeRetryMs);
  }
}

function usesSubPaths({ pod: { spec } }: Workload): boolean {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return containers.some(({ volumeMounts = [] }) =>
    volumeMounts.some(({ subPath, subPathExpr }) => subPath || subPathExpr),
  );
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
