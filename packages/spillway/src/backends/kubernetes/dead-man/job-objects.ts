import {
  type CronJob,
  cronJobs,
  type KubeObject,
  type PodSpec,
  type ResourceType,
  type Role,
  type RoleBinding,
  roleBindings,
  roles,
  type ServiceAccount,
  serviceAccounts,
} from '@spillway/kube';
import type { Owner } from '../../backend.ts';
import { deadManMarks } from '../pods/marks.ts';
import { deadManName } from '../pods/names.ts';

/** How often the job looks. */
const schedule = '*/10 * * * *';
/** A run that ends a thousand instances takes minutes; one that hangs gives way to the next. */
const longestRunSeconds = 3600;
/** That of the image. */
const user = 65_532;

export interface JobOptions {
  readonly owner: Owner;
  readonly namespace: string;
  /** Of Spillway, as the other cluster can pull it. */
  readonly image: string;
}

/**
 * The job that ends instances of a silent virtual node, with an account that may do no more than that. In the order in which they
 * are needed.
 */
export function jobObjects({
  owner,
  namespace,
  image,
}: JobOptions): readonly [ServiceAccount, Role, RoleBinding, CronJob] {
  const name = deadManName(owner);
  const { labels, annotations } = deadManMarks(owner);
  const marks = { labels: { ...labels }, annotations: { ...annotations } };
  const metadata = { namespace, name, ...marks };
  const rbac = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata,
      rules: [
        // Of the heartbeat alone.
        { apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs: ['get', 'patch'] },
        // Labels cannot limit a right. Patches take away Spillway's finalizer.
        { apiGroups: [''], resources: ['pods'], verbs: ['list', 'patch', 'delete'] },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata,
      spec: {
        schedule,
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: 300,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 1,
        jobTemplate: {
          metadata: marks,
          spec: {
            backoffLimit: 0,
            activeDeadlineSeconds: longestRunSeconds,
            template: { metadata: marks, spec: podSpec(name, image, owner, namespace) },
          },
        },
      },
    },
  ];
}

/** As Pod Security `restricted` demands it. */
function podSpec(account: string, image: string, { clusterId, nodeName }: Owner, namespace: string): PodSpec {
  return {
    restartPolicy: 'Never',
    serviceAccountName: account,
    automountServiceAccountToken: true,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'dead-man',
        image,
        args: ['dead-man', '--in-namespace', namespace, '--cluster-id', clusterId, '--node', nodeName],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
      },
    ],
  };
}

/** What {@link jobObjects} makes, in the order in which it is taken away: first what acts, then its rights. */
export const jobTypes: readonly ResourceType<KubeObject>[] = [cronJobs, roleBindings, roles, serviceAccounts];
