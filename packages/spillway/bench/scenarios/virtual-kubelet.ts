import { lifecycle } from './lifecycle.ts';
import type { Scenario } from './scenario.ts';

/** The work of `lifecycle`, with few pods: Virtual Kubelet allows itself five requests a second. */
export const virtualKubelet: Scenario = {
  ...lifecycle,
  name: 'virtual-kubelet',
  about: 'as lifecycle, in comparison with Virtual Kubelet and its mock provider',
  contestants: ['spillway', 'virtual-kubelet'],
  pods: [300],
  figures: lifecycle.figures.map((figure) => ({ ...figure, goals: [] })),
};
