import type { Figures, NodeFigures } from '../../usage/figures.ts';
import type { Family, Sample } from './exposition.ts';
import type { MeasuredPod } from './measured-pods.ts';
import { cpuSeconds, workingSet } from './resource-metrics.ts';

/** Of the node, a pod or a container: what cAdvisor calls a container is a cgroup. */
interface Cgroup {
  readonly labels: Sample['labels'];
  readonly figures: Figures | undefined;
  readonly startedAtMs?: number;
}

/**
 * `/metrics/cadvisor` as far as anything is known: with the labels of a kubelet, by which the rules and dashboards of
 * kube-prometheus-stack find it. What the machines of the backend have is not told, for they are not the cluster's.
 */
export function* cadvisorMetrics(pods: readonly MeasuredPod[], known: NodeFigures | undefined): Iterable<Family> {
  const cgroups = [node(known), ...pods.flatMap((pod) => [wholePod(pod), ...containersOf(pod)])];
  yield {
    name: 'container_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed in seconds.',
    type: 'counter',
    samples: cgroups.flatMap(({ labels, figures }) => cpuSeconds({ ...labels, cpu: 'total' }, figures)),
  };
  yield {
    name: 'container_memory_working_set_bytes',
    help: 'Current working set in bytes.',
    type: 'gauge',
    samples: cgroups.flatMap(({ labels, figures }) => workingSet(labels, figures)),
  };
  yield {
    name: 'container_scrape_error',
    help: '1 if there was an error while getting container metrics, 0 otherwise',
    type: 'gauge',
    samples: [{ labels: {}, value: known === undefined ? 1 : 0 }],
  };
  yield {
    name: 'container_start_time_seconds',
    help: 'Start time of the container since unix epoch in seconds.',
    type: 'gauge',
    samples: cgroups.flatMap(({ labels, startedAtMs }) =>
      startedAtMs === undefined ? [] : [{ labels, value: startedAtMs / 1000 }],
    ),
  };
}

function labelled(id: string, { container = '', image = '', name = '', namespace = '', pod = '' }): Sample['labels'] {
  return { container, id, image, name, namespace, pod };
}

function node(known: NodeFigures | undefined): Cgroup {
  return { labels: labelled('/', {}), figures: known?.total };
}

function wholePod({ namespace, name: pod, uid, figures }: MeasuredPod): Cgroup {
  return { labels: labelled(cgroupOf(uid), { namespace, pod }), figures };
}

function containersOf({ namespace, name: pod, uid, containers }: MeasuredPod): Cgroup[] {
  return containers.map(({ name: container, status, startedAtMs, figures }) => {
    const name = status.containerID?.replace(/^.*:\/\//, '') ?? container;
    const { image } = status;
    return {
      labels: labelled(`${cgroupOf(uid)}/${name}`, { container, image, name, namespace, pod }),
      figures,
      startedAtMs,
    };
  });
}

const cgroupOf = (uid: string): string => `/kubepods/pod${uid}`;
