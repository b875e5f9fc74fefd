import type { ContainerStatus, Pod } from '@spillway/kube';
import { agentContainer } from '../../../podspec/agent-container.ts';
import type { Notice } from '../../backend.ts';

/** What people should know when the link agent of a pod had to be started again: nothing else shows it. Undefined: it was not. */
export function agentRestart(before: Pod, after: Pod): Notice | undefined {
  const [was, is] = [agentIn(before), agentIn(after)];
  if (was === undefined || is === undefined || (is.restartCount ?? 0) <= (was.restartCount ?? 0)) return undefined;
  const { reason, exitCode } = is.lastState?.terminated ?? {};
  const how = exitCode === undefined ? 'ended' : `ended with exit code ${exitCode}${reason ? ` (${reason})` : ''}`;
  return {
    severity: 'Warning',
    reason: 'LinkAgentRestarted',
    message: `The link agent of the pod ${how} and is started again. Until then, names of the cluster and connections to Services fail`,
  };
}

function agentIn({ status }: Pod): ContainerStatus | undefined {
  return status?.initContainerStatuses?.find(({ name }) => name === agentContainer);
}
