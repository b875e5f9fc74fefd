import type { Job, Service } from '@spillway/kube';
import { burstLabels, virtualNodeType } from '../../podspec/contract.ts';
import { type Ports, probeEnvironment, probePorts, serveCommand } from './probe.ts';
import type { Side } from './view.ts';

export interface TestRun {
  readonly id: string;
  readonly namespace: string;
  readonly image: string;
  /** The virtual node. */
  readonly nodeName: string;
}

/** Of the Services, other than those of the pods behind them. */
export const servicePorts: Ports = { tcp: 9310, udp: 9311 };

/** Also what the pod answers who asks it, and no other program. */
export const nameOfTest = ({ id }: Pick<TestRun, 'id'>, side: Side): string => `spillway-network-${id}-${side}`;

/** By name, as a pod writes it. */
export const hostOf = (run: Pick<TestRun, 'id' | 'namespace'>, side: Side): string =>
  `${nameOfTest(run, side)}.${run.namespace}.svc`;

const runLabel = 'spillway.dev/network-test';
export const selectorOf = ({ id }: Pick<TestRun, 'id'>): string => `${runLabel}=${id}`;
const labelsOf = ({ id }: TestRun, side: Side): Record<string, string> => ({
  'app.kubernetes.io/name': 'spillway-doctor',
  [runLabel]: id,
  'spillway.dev/network-test-side': side,
});

/** Nothing outlives this, also when the command is killed. */
const longestSeconds = 900;
const size = { cpu: '250m', memory: '512Mi' };

/** A Job, which ends and removes itself in time if nobody else does. */
export function testJob(run: TestRun, side: Side): Job {
  const labels = labelsOf(run, side);
  const metadata = { name: nameOfTest(run, side), namespace: run.namespace, labels };
  const onOrdinaryNode = {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: virtualNodeType.key, operator: 'NotIn', values: [virtualNodeType.value] }] },
        ],
      },
    },
  };
  const placed =
    side === 'burst'
      ? { nodeName: run.nodeName, resources: { requests: size, limits: size } }
      : { affinity: onOrdinaryNode, resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: size } };
  const { resources, ...placement } = placed;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: longestSeconds,
      ttlSecondsAfterFinished: 0,
      template: {
        metadata: { labels: { ...labels, ...(side === 'cluster' && { [burstLabels[0]]: 'off' }) } },
        spec: {
          ...placement,
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'main',
              image: run.image,
              command: [...serveCommand(nameOfTest(run, side))],
              env: [probeEnvironment()],
              ports: [
                { name: 'tcp', containerPort: probePorts.tcp },
                { name: 'udp', containerPort: probePorts.udp, protocol: 'UDP' },
              ],
              resources,
            },
          ],
        },
      },
    },
  };
}

/** In front of the pod on a side, and gone with its Job. */
export function testService(run: TestRun, side: Side, job: Job): Service {
  const { name = '', uid = '' } = job.metadata ?? {};
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name, uid };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: run.namespace, labels: labelsOf(run, side), ownerReferences: [owner] },
    spec: {
      selector: endpointsOf(run, side),
      ports: [
        { name: 'tcp', port: servicePorts.tcp, targetPort: probePorts.tcp },
        { name: 'udp', port: servicePorts.udp, targetPort: probePorts.udp, protocol: 'UDP' },
      ],
    },
  };
}

/** Which pods a Service is for: the one on that side, or none. */
export function endpointsOf(run: TestRun, side: Side | 'none'): Record<string, string> {
  return { [runLabel]: run.id, 'spillway.dev/network-test-side': side };
}
