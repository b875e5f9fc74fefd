import type { Pod } from '@spillway/kube';
import { isVirtual } from '../why.ts';
import { type Check, type Finding, named } from './view.ts';

/** Who sizes by the number of cores of all nodes takes a virtual node for two hundred thousand real ones. */
export const checkAutoscalers: Check = ({ deployments, nodes }) => {
  if (!nodes.some(isVirtual)) return [];
  const counting = deployments.filter(({ spec }) =>
    spec?.template.spec?.containers.some(({ image = '' }) => image.includes('cluster-proportional-autoscaler')),
  );
  return counting.map((deployment) => ({
    code: 'autoscaler-counts-virtual-nodes',
    severity: 'warning',
    object: named('Deployment', deployment),
    message: 'a cluster-proportional autoscaler counts the cores and nodes of virtual nodes as well',
    remedy: 'Start it with --nodelabels=type!=virtual-kubelet, or set a maximum in its configuration.',
  }));
};

/** Control planes whose programs are pods show how many requests those may send: it limits how fast pods come. */
export const checkThroughput: Check = ({ pods }) => [
  ...slowComponent(pods, 'kube-controller-manager', 'creates at most 20 pods a second'),
  ...slowComponent(pods, 'kube-scheduler', 'places at most 50 pods a second'),
];

function slowComponent(pods: readonly Pod[], component: string, effect: string): Finding[] {
  const pod = pods.find(({ metadata }) => metadata?.labels?.['component'] === component);
  const words = pod?.spec?.containers.flatMap(({ command = [], args = [] }) => [...command, ...args]) ?? [];
  if (pod === undefined || words.some((word) => word.startsWith('--kube-api-qps'))) return [];
  return [
    {
      code: 'slow-control-plane',
      severity: 'info',
      object: named('Pod', pod),
      message: `with its default limits ${component} ${effect}, no matter how fast Spillway is`,
      remedy: `Start ${component} with --kube-api-qps=300 --kube-api-burst=600.`,
    },
  ];
}
