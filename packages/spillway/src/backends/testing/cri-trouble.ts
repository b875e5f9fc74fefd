import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Workload } from '../backend.ts';
import { encodeWorkload } from '../workload-codec.ts';
import type { CriPool } from './cri-pool.ts';
import type { CriSession } from './cri-session.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { script } from './workloads.ts';

/** What goes wrong around pods, and what must not happen to them then. */
export function describeTrouble(session: CriSession): void {
  describe('trouble', () => {
    test('a sandbox that died is made again, and its containers are restarted', async () => {
      const pod = await session.driver.run(session.workload({ spec: { containers: [script('sleep 3600')] } }));
      const before = await session.driver.reaches(pod, 'running');
      await session.onRuntime(async ({ calls }) => {
        for (const podSandboxId of await session.sandboxesOf(calls, pod)) await calls.StopPodSandbox({ podSandboxId });
      });
      const status = await session.driver.container(pod, 'main', ({ restartCount }) => restartCount > 0);
      expect(status).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 137 } } });
      const after = await session.driver.reaches(pod, 'running');
      expect(after.podIPs).not.toEqual(before.podIPs);
      expect(session.driver.noticesOf(pod).map(({ reason }) => reason)).toContain('SandboxChanged');
    });

    test('a pod that runs once is not run again when the runtime has forgotten it', async () => {
      const pod = await session.driver.run(
        session.workload({ spec: { restartPolicy: 'Never', containers: [script('sleep 3600')] } }),
      );
      await session.driver.reaches(pod, 'running');
      await session.leave();
      await session.onRuntime(async ({ calls }) => {
        for (const podSandboxId of await session.sandboxesOf(calls, pod))
          await calls.RemovePodSandbox({ podSandboxId });
      });
      await session.reopen();
      expect(await session.driver.reaches(pod, 'ended')).toMatchObject({ reason: 'InstanceLost' });
    });

    test('whose state folder was lost goes on, and can be removed', async () => {
      const pod = await session.driver.run(session.workload({ spec: { containers: [script('sleep 3600')] } }));
      const before = await session.driver.reaches(pod, 'running');
      await session.leave();
      await rm(session.pool.stateDir, { recursive: true });
      await session.reopen();
      const after = await session.driver.reaches(pod, 'running');
      expect(after.ref).toEqual(pod.ref);
      expect(after.containerStatuses[0]?.containerID).toBe(before.containerStatuses[0]?.containerID);
    });

    test('what belongs to somebody else is neither seen nor touched', async () => {
      const pod = await session.driver.run(session.workload({ spec: { containers: [script('sleep 3600')] } }));
      await session.driver.reaches(pod, 'running');
      const other = session.pool.open(
        { stateDir: join(session.pool.folder, 'other') },
        { clusterId: 'other-cluster', nodeName: 'virtual' },
      );
      await other.prepare(session.driver.signal);
      expect(await other.list(session.driver.signal)).toEqual({ complete: true, instances: [] });
      await other.remove(pod.ref, session.driver.signal);
      await other.close();
      expect(await session.driver.find(pod.ref)).toMatchObject({ state: 'running' });
    });

    test.each([0, 40, 120, 200, 300, 450])(
      'a process that is killed %i ms after it accepted pods leaves each to be completed once',
      async (ms) => {
        await session.leave();
        const pods = (['Always', 'Never', 'OnFailure'] as const).map((restartPolicy) =>
          session.workload({ spec: { restartPolicy, containers: [script('sleep 3600')] } }),
        );
        await createAndDie(session.pool, pods, ms);
        await session.reopen();
        for (const pod of pods) {
          const instance = await session.driver.reaches(pod, 'running');
          expect(instance.containerStatuses).toMatchObject([{ restartCount: 0 }]);
          const sandboxes = await session.onRuntime(({ calls }) => session.sandboxesOf(calls, pod));
          expect(sandboxes).toHaveLength(1);
        }
      },
    );

    test('a runtime that goes away and comes back costs nothing but time', async () => {
      const pod = await session.driver.run(session.workload({ spec: { containers: [script('sleep 3600')] } }));
      const before = await session.driver.reaches(pod, 'running');
      const containerd = session.pool.cluster.component('pool-containerd');
      await containerd.stop('SIGKILL');
      const late = session.workload({ name: 'late', spec: { containers: [script('sleep 3600')] } });
      const away = { name: 'BackendError', kind: 'unavailable', message: expect.stringContaining(session.pool.socket) };
      await expect(session.backend.list(session.driver.signal)).rejects.toMatchObject(away);
      await expect(session.backend.ping(session.driver.signal)).rejects.toMatchObject(away);
      await expect(session.driver.run(late)).rejects.toMatchObject(away);
      await containerd.start();
      await eventually('the runtime', () =>
        session.backend.ping(session.driver.signal).then(
          () => true,
          () => false,
        ),
      );
      await session.driver.run(late);
      await session.driver.reaches(late, 'running');
      expect(await session.driver.find(pod.ref)).toEqual(before);
    });

    test('a runtime that is not there is one clear line', async () => {
      const nowhere = session.pool.open({ socket: '/run/nothing-here.sock' });
      await expect(nowhere.prepare(session.driver.signal)).rejects.toMatchObject({
        kind: 'unavailable',
        message: 'container runtime at /run/nothing-here.sock cannot be reached: the socket does not exist',
        remedy: 'Check that containerd runs and that its socket is /run/nothing-here.sock',
      });
      await nowhere.close();
    });
  });
}

/** What a process does that creates pods and knows nothing of its end. */
const creator = `
const [settings, backends] = process.argv.slice(1);
const { options, owner, pods } = JSON.parse(settings);
const { CriBackend } = await import(backends + 'cri/cri-backend.ts');
const { decodeWorkload } = await import(backends + 'workload-codec.ts');
const { silentLogger } = await import('@spillway/kube');
const { signal } = new AbortController();
const backend = new CriBackend({ options, owner, logger: silentLogger });
await backend.prepare(signal);
await Promise.all(pods.map((pod) => backend.create(decodeWorkload(pod), signal)));
process.stdout.write('accepted');
`;

/** Creates pods from another process, and kills that process some time after it had accepted them. */
async function createAndDie(pool: CriPool, pods: readonly Workload[], ms: number): Promise<void> {
  const { socket, stateDir, cgroupParent, owner } = pool;
  const settings = JSON.stringify({
    options: { socket, stateDir, cgroupParent },
    owner,
    pods: pods.map(encodeWorkload),
  });
  const args = [
    '--conditions=spillway-source',
    '--input-type=module',
    '-e',
    creator,
    settings,
    new URL('../', import.meta.url).href,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname });
  const exited = once(child, 'exit');
  const [accepted] = await Promise.race([once(child.stdout, 'data'), exited]);
  expect(String(accepted)).toBe('accepted');
  await delay(ms);
  child.kill('SIGKILL');
  await exited;
}
