import type { ContainerStatus, Pod } from '@spillway/kube';
import { expect, test } from 'vitest';
import { agentRestart } from './agent-restarts.ts';

const pod = (name: string, restartCount: number, more: Partial<ContainerStatus> = {}): Pod => ({
  status: { initContainerStatuses: [{ name, image: '', imageID: '', ready: true, restartCount, ...more }] },
});
const killed = { lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } };

test('an agent that was started again is told, with how it ended', () => {
  expect(agentRestart(pod('spillway-link', 0), pod('spillway-link', 1, killed))).toEqual({
    severity: 'Warning',
    reason: 'LinkAgentRestarted',
    message:
      'The link agent of the pod ended with exit code 137 (OOMKilled) and is started again. Until then, names of the cluster and connections to Services fail',
  });
});

test('nothing is said of an agent that runs, of one that was not seen before, or of other containers', () => {
  expect(agentRestart(pod('spillway-link', 1), pod('spillway-link', 1, killed))).toBeUndefined();
  expect(agentRestart({}, pod('spillway-link', 1, killed))).toBeUndefined();
  expect(agentRestart(pod('side', 0), pod('side', 1, killed))).toBeUndefined();
});
