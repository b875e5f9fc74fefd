import { nameOf } from '@spillway/kube';
import { isAddOnDeployment, isAddOnNode } from '../../cce-addon/marks.ts';
import { counted } from '../../podspec/words.ts';
import { isTerminalPhase } from '../../podspec/pod-facts.ts';
import { type Check, named } from './view.ts';

/** The vendor's add-on acts on the same labels, and its node is nothing that Spillway serves. */
export const checkCceAddOn: Check = ({ nodes, deployments, pods }) => {
  const own = nodes.filter(isAddOnNode);
  const parts = [
    ...deployments.filter(isAddOnDeployment).map((each) => named('Deployment', each)),
    ...own.map((node) => named('Node', node)),
  ];
  if (parts.length === 0) return [];
  const names = new Set(own.map(nameOf));
  const onIt = pods.filter(({ spec, status }) => names.has(spec?.nodeName ?? '') && !isTerminalPhase(status?.phase));
  const isOpen = own.some(({ spec }) => spec?.unschedulable !== true);
  return [
    {
      code: 'cce-add-on',
      severity: 'info',
      message: `the CCE add-on virtual-kubelet is in the cluster, with ${counted(onIt.length, 'pod')} on its node: ${parts.join(', ')}${isOpen ? '; new pods with a burst label may run there, too' : ''}`,
      remedy: 'Spillway leaves it alone. "spillway migrate-addon" says how its pods come to Spillway.',
    },
  ];
};
