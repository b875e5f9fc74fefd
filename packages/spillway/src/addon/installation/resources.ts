import type { ResourceRequirements } from '@spillway/kube';

/** For the burst pods that an installation may have at the same time, after the measurements in docs/performance.md. */
export const presets = [
  { pods: 200, cpu: '100m', memory: '256Mi', memoryLimit: '512Mi' },
  { pods: 1000, cpu: '250m', memory: '384Mi', memoryLimit: '768Mi' },
  { pods: 5000, cpu: '500m', memory: '640Mi', memoryLimit: '1Gi' },
] as const;

export const usualPods = 1000;
/** More were not measured. */
export const mostPods = 5000;

/** CPU is not limited: a burst takes what is free. @param pods at most `mostPods` */
export function resourcesFor(pods: number): ResourceRequirements {
  const preset = presets.find((each) => each.pods >= pods) ?? presets[presets.length - 1];
  if (preset === undefined) throw new RangeError('there are no presets');
  const { cpu, memory, memoryLimit } = preset;
  return { requests: { cpu, memory }, limits: { memory: memoryLimit } };
}
