import type { Figures, NodeFigures } from '../../usage/figures.ts';
import type { Family, Sample } from './exposition.ts';
import type { MeasuredContainer, MeasuredPod } from './measured-pods.ts';

type Labels = Sample['labels'];

// The order of the labels is that of virtual-kubelet's own tests; to metrics-server any is the same.
const ofPod = ({ namespace, name }: MeasuredPod): Labels => ({ namespace, pod: name });
const ofContainer = ({ namespace, name: pod }: MeasuredPod, { name: container }: MeasuredContainer): Labels => ({
  container,
  pod,
  namespace,
});

/**
 * `/metrics/resource` as a kubelet of 1.37 has it, and metrics-server reads it. The start of a container is told without
 * figures, too: metrics-server leaves out a pod of which it knows only a part.
 */
export function* resourceMetrics(pods: readonly MeasuredPod[], known: NodeFigures | undefined): Iterable<Family> {
  const containers = (samples: (pod: MeasuredPod, container: MeasuredContainer) => Sample[]): Sample[] =>
    pods.flatMap((pod) => pod.containers.flatMap((container) => samples(pod, container)));
  yield {
    name: 'container_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed by the container in core-seconds',
    type: 'counter',
    samples: containers((pod, container) => cpuSeconds(ofContainer(pod, container), container.figures)),
  };
  yield {
    name: 'container_memory_working_set_bytes',
    help: 'Current working set of the container in bytes',
    type: 'gauge',
    samples: containers((pod, container) => workingSet(ofContainer(pod, container), container.figures)),
  };
  yield {
    name: 'container_start_time_seconds',
    help: 'Start time of the container since unix epoch in seconds',
    type: 'gauge',
    samples: containers((pod, container) => [
      { labels: ofContainer(pod, container), value: container.startedAtMs / 1000 },
    ]),
  };
  yield {
    name: 'node_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed by the node in core-seconds',
    type: 'counter',
    samples: cpuSeconds({}, known?.total),
  };
  yield {
    name: 'node_memory_working_set_bytes',
    help: 'Current working set of the node in bytes',
    type: 'gauge',
    samples: workingSet({}, known?.total),
  };
  yield {
    name: 'pod_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed by the pod in core-seconds',
    type: 'counter',
    samples: pods.flatMap((pod) => cpuSeconds(ofPod(pod), pod.figures)),
  };
  yield {
    name: 'pod_memory_working_set_bytes',
    help: 'Current working set of the pod in bytes',
    type: 'gauge',
    samples: pods.flatMap((pod) => workingSet(ofPod(pod), pod.figures)),
  };
  yield {
    name: 'resource_scrape_error',
    help: '1 if there was an error while getting container metrics, 0 otherwise',
    type: 'gauge',
    samples: [{ labels: {}, value: known === undefined ? 1 : 0 }],
  };
}

export function cpuSeconds(labels: Labels, figures: Figures | undefined): Sample[] {
  return figures?.cpu === undefined ? [] : [{ labels, value: figures.cpu.seconds, atMs: figures.atMs }];
}

export function workingSet(labels: Labels, figures: Figures | undefined): Sample[] {
  return figures?.memoryBytes === undefined ? [] : [{ labels, value: figures.memoryBytes, atMs: figures.atMs }];
}
