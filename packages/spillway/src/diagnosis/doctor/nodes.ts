import type { Lease, Node } from '@spillway/kube';
import { nodeRecordOf } from '../../podspec/hibernation.ts';
import { blockedTaint } from '../../podspec/contract.ts';
import { isVirtual } from '../why.ts';
import { type Check, type ClusterView, type Finding, named } from './view.ts';

const oldestMinor = 28;
/** The node controller gives up a node after this time without a renewal (its default). */
const leaseGraceMs = 50_000;

export const checkVersion: Check = ({ serverVersion }) => {
  const [, major = '', minor = ''] = /^v?(\d+)\.(\d+)/.exec(serverVersion) ?? [];
  if (Number(major) > 1 || Number(minor) >= oldestMinor) return [];
  return [
    {
      code: 'kubernetes-too-old',
      severity: 'error',
      message: `the cluster runs Kubernetes ${serverVersion}; Spillway needs 1.${oldestMinor} or newer`,
      remedy: 'Upgrade the cluster.',
    },
  ];
};

export const checkNodes: Check = (view) => {
  const nodes = view.nodes.filter(isVirtual);
  if (nodes.length > 0) return nodes.flatMap((node) => nodeFindings(node, view));
  if (view.unreadable.has('nodes')) return [];
  return [
    {
      code: 'no-virtual-node',
      severity: 'error',
      message: 'no virtual node is registered, so nothing can burst',
      remedy: 'Start "spillway serve" and read its log; its first lines say what it cannot do.',
    },
  ];
};

function nodeFindings(node: Node, { leases, nowMs, unreadable }: ClusterView): Finding[] {
  const object = named('Node', node);
  const condition = (type: string): { status?: string; message?: string } =>
    node.status?.conditions?.find((known) => known.type === type) ?? {};
  const findings: Finding[] = [];
  const lease = leases.find(({ metadata }) => metadata?.name === node.metadata?.name);
  if (!unreadable.has('leases') && isStale(lease, nowMs)) {
    findings.push({
      code: 'node-not-served',
      severity: 'error',
      object,
      message: `the node's lease was last renewed ${lease?.spec?.renewTime ?? 'never'}: no process serves it`,
      remedy:
        'Check that "spillway serve" is running and can reach the API server. Running pods keep running in the meantime.',
    });
  } else if (condition('Ready').status !== 'True') {
    findings.push({
      code: 'node-not-ready',
      severity: 'error',
      object,
      message: `the node is not Ready: ${condition('Ready').message ?? 'no reason given'}`,
      remedy: 'Read the log of "spillway serve".',
    });
  }
  const reachable = condition('BackendReachable');
  const prepared = condition('BackendPrepared');
  if (reachable.status === 'False') {
    findings.push({
      code: 'backend-unreachable',
      severity: 'error',
      object,
      message: `the backend does not answer: ${reachable.message ?? 'the reason is not known'}`,
      remedy:
        'Check the backend and the network path to it. Running pods are not affected; new ones wait or run locally.',
    });
  } else if (prepared.status === 'False') {
    findings.push({
      code: 'backend-not-prepared',
      severity: 'error',
      object,
      message: `something that pods need is missing: ${prepared.message ?? 'no details known'}`,
      remedy:
        'The message says what to do. Spillway tries again automatically; until then, new pods wait or run locally.',
    });
  } else if (node.spec?.taints?.some(({ key }) => key === blockedTaint.key)) {
    findings.push({
      code: 'pool-blocked',
      severity: 'warning',
      object,
      message: `the pool accepts no new pods: taint ${blockedTaint.key}`,
      remedy:
        'The conditions and events of the node say why. A sold-out pool opens automatically when a probe succeeds.',
    });
  }
  const heartbeat = condition('HeartbeatRenewed');
  if (heartbeat.status === 'False') {
    findings.push({
      code: 'heartbeat-late',
      severity: 'warning',
      object,
      message: `the dead-man switch may end the pods of this node: ${heartbeat.message ?? 'the reason is not known'}`,
      remedy:
        'Restore what the message names. If outages of this length are to be survived, set a longer deadMan.afterSeconds.',
    });
  }
  const measured = condition('MetricsAvailable');
  if (measured.status === 'False') {
    findings.push({
      code: 'metrics-missing',
      severity: 'info',
      object,
      message: `the backend does not report what pods use: ${measured.message ?? 'no reason given'}`,
      remedy: 'The pods run normally, but kubectl top and autoscalers do not see them. The message says what helps.',
    });
  }
  if (node.spec?.unschedulable) {
    const hibernation = nodeRecordOf(node);
    findings.push(
      hibernation === undefined
        ? {
            code: 'node-cordoned',
            severity: 'warning',
            object,
            message: 'the node is cordoned, so nothing new bursts to it',
            remedy: `kubectl uncordon ${node.metadata?.name ?? ''}`,
          }
        : {
            code: 'hibernates',
            severity: 'info',
            object,
            message: `the node hibernates since ${hibernation.since}, so nothing bursts to it`,
            remedy: 'spillway resume',
          },
    );
  }
  return findings;
}

function isStale(lease: Lease | undefined, nowMs: number): boolean {
  const renewedMs = Date.parse(lease?.spec?.renewTime ?? '');
  return Number.isNaN(renewedMs) || nowMs - renewedMs > leaseGraceMs;
}
