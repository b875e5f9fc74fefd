import { EventRecorder, type KubeClient, type Logger, systemClock } from '@spillway/kube';
import { type Backend, BackendError } from '../backends/backend.ts';
import { type PoolConfig, poolTaints } from '../config/config.ts';
import { Metrics } from '../observability/metrics.ts';
import { podController } from '../pods/assemble.ts';
import type { InstanceLedger } from '../pods/instances/instance-news.ts';
import { PodEvents } from '../pods/pod-events.ts';
import type { Preparation } from '../pods/performer.ts';
import { virtualNodeLabels } from '../podspec/contract.ts';
import { PoolMetrics } from './pool-metrics.ts';

export interface EndPodsOptions {
  readonly config: PoolConfig;
  /** Closed by whoever made it. */
  readonly backend: Backend;
  readonly client: KubeClient;
  /** See `PoolOptions`. */
  readonly confirmCluster: (signal: AbortSignal) => Promise<boolean>;
  readonly ledger: InstanceLedger | undefined;
  readonly logger: Logger;
}

/** Nothing is created any more, whatever the cluster asks for. */
const ending: Preparation = {
  ready: async () => {},
  obstacle: { kind: 'unprepared', reason: undefined, message: 'Spillway is being uninstalled', notices: [] },
  invalidate: () => {},
};

/**
 * Looks after the pods of a virtual node until `signal` is aborted, with all guards, so that those that are deleted end as they
 * always do: within their grace, with their last status. Nothing is started, and there is no node, lease or kubelet API.
 */
export async function endPods(options: EndPodsOptions, signal: AbortSignal): Promise<void> {
  const { config, client, confirmCluster, ledger, logger } = options;
  const { name, nodeName } = config;
  const backend = withoutNamespace(options.backend);
  const metrics = new PoolMetrics(new Metrics(), name);
  const agent = client.impersonate({ user: `system:node:${nodeName}`, groups: ['system:nodes'] });
  const recorder = new EventRecorder({
    client: agent,
    component: 'spillway',
    host: nodeName,
    onDropped: (why) => metrics.eventDropped(why),
    logger,
  });
  const events = new PodEvents({ recorder, onRecorded: (type) => metrics.eventRecorded(type) });
  const pods = podController({
    node: {
      name: nodeName,
      taints: poolTaints(config),
      labels: virtualNodeLabels,
      sizing: config.sizing,
      daemonSets: config.daemonSets,
      facts: () => ({
        hostIPs: [],
        allocatable: {},
        dns: { clusterServers: [], clusterDomain: config.dns.clusterDomain },
      }),
    },
    cluster: { agent, controller: client, confirm: confirmCluster },
    backend,
    preparation: ending,
    blockade: { refused: () => {}, accepted: () => {} },
    sweep: {
      graceMs: config.sweep.graceSeconds * 1000,
      maxFraction: config.sweep.maxFraction,
      suspicionMs: config.sweep.suspicionSeconds * 1000,
    },
    keepEndedMs: config.keepEndedSeconds * 1000,
    told: {
      record: (ref, notice) => events.record(ref, notice),
      recordOnNode: () => {},
      ledger,
      metrics,
      logger,
    },
    timing: systemClock,
  });
  try {
    await pods.run(signal);
  } finally {
    await recorder.close();
    await agent.close();
  }
}

/** Where there is no namespace any more, there is no instance. */
function withoutNamespace(backend: Backend): Backend {
  const list: Backend['list'] = async (signal) => {
    try {
      return await backend.list(signal);
    } catch (error) {
      if (error instanceof BackendError && error.kind === 'notFound') return { complete: true, instances: [] };
      throw error;
    }
  };
  return new Proxy(backend, {
    get(target, name) {
      if (name === 'list') return list;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
