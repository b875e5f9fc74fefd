import { z } from 'zod';
import { blockedTaint, burstTaint, preferTaint } from '../podspec/contract.ts';
import { type RuleSetName, ruleSetNames } from '../podspec/sizing/rule-sets.ts';
import { type BackendConfig, backendSchema } from './backends.ts';
import { type Config, placementName } from './config.ts';
import { ipAddress, quantity } from './values.ts';

const capacity = z
  .strictObject({
    cpu: quantity.optional().describe('CPU, for example 64 or "500m".'),
    memory: quantity.optional().describe('Memory, for example 256Gi.'),
    pods: quantity.optional().describe('How many pods may be on the node.'),
    'ephemeral-storage': quantity.optional().describe('Local storage, for example 500Gi.'),
  })
  .describe(
    'What the virtual node offers to the scheduler. For resources that are not listed here, the value that the backend reports.',
  );

const taint = z
  .strictObject({
    key: z
      .string()
      .max(317)
      .regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/, {
        error: 'must be a qualified name such as example.com/team',
      })
      .refine((key) => key !== blockedTaint.key, {
        error: 'is the taint that Spillway itself sets while the pool accepts no new pods',
      })
      .describe('Key of the taint.'),
    value: z
      .string()
      .max(63)
      .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, { error: 'must be a label value' })
      .optional()
      .describe('Value of the taint. Default: none.'),
    effect: z
      .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
      .describe('What the taint does to pods that do not tolerate it.'),
  })
  .describe('One taint.');

const servingCertificate = z
  .strictObject({
    csr: z
      .strictObject({
        approve: z
          .boolean()
          .default(false)
          .describe(
            'Spillway approves its own request. Whoever may approve such requests can obtain a certificate for any node, so this is off by default: approve with "kubectl certificate approve".',
          ),
      })
      .optional()
      .describe('Ask the cluster for a certificate of signer kubernetes.io/kubelet-serving, and renew it.'),
    files: z
      .strictObject({
        cert: z.string().min(1).describe('File with the certificate chain, PEM.'),
        key: z.string().min(1).describe('File with the private key, PEM.'),
      })
      .optional()
      .describe('Files that somebody else renews; they are read again when they change.'),
  })
  .refine(({ csr, files }) => (csr === undefined) !== (files === undefined), {
    error: 'needs exactly one of: csr, files',
  })
  .default({ csr: { approve: false } })
  .describe('The certificate that the kubelet API presents to the API server.');

const dns = z
  .strictObject({
    clusterDNS: z
      .array(ipAddress)
      .default([])
      .describe("Addresses of the cluster's DNS Service. Without one, pods use the resolver of their host."),
    clusterDomain: z.string().min(1).default('cluster.local').describe("The cluster's DNS domain."),
  })
  .prefault({})
  .describe('DNS resolver of the pods of this pool.');

const ping = z
  .strictObject({
    intervalSeconds: z.number().positive().max(3600).default(10).describe("How often the backend's health is checked."),
    timeoutSeconds: z
      .number()
      .positive()
      .max(3600)
      .default(5)
      .describe('After this time without an answer the backend counts as unreachable.'),
  })
  .prefault({})
  .describe(
    'Health check of the backend. A failure sets BackendReachable=False on the node and keeps new pods away; the node stays Ready.',
  );

const metrics = z
  .strictObject({
    intervalSeconds: z
      .number()
      .min(1)
      .max(60)
      .default(10)
      .describe(
        'Shortest interval between two requests to the backend for what pods use. A request is sent only when somebody scrapes, one for all pods and all scrapes.',
      ),
  })
  .prefault({})
  .describe('Figures of what pods use, for kubectl top, autoscalers and Prometheus: see monitoring.md.');

const sweep = z
  .strictObject({
    graceSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(30)
      .describe('How long an instance without a pod is left alone before it is verified and removed.'),
    maxFraction: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe(
        'If more than this fraction of all instances has no pod, the sweep is reported, waits for suspicionSeconds and checks again.',
      ),
    suspicionSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(600)
      .describe(
        'How long listings of the backend must stay like this before such a sweep continues, which gives you time to stop it. Listings that suddenly lack more than maxFraction of the instances are not believed for the same time. Time without listings does not count.',
      ),
  })
  .prefault({})
  .describe('Removal of instances whose pod is gone, for example deleted by force while Spillway was away.');

const deadMan = z
  .strictObject({
    afterSeconds: z
      .number()
      .min(1800)
      .max(2_592_000)
      .describe(
        'After this time without a heartbeat, the instances of the pool are ended. Make it longer than any outage of the cluster, or of Spillway, in which they are to go on: 21600 is six hours.',
      ),
    image: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Image of Spillway, as the other cluster can pull it, for a job in the namespace of the pods that looks at the heartbeat. Backend kubernetes only. Default: none is installed, and you run "spillway dead-man" at intervals.',
      ),
  })
  .describe(
    'Ends the instances of this pool when its heartbeat stops, for example because the cluster no longer exists: see dead-man.md. It acts on silence. Default: off.',
  );

/** RFC 1123 subdomain, as Kubernetes demands of node names. */
const nodeName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, {
    error: 'must be a DNS name in lower case: letters, digits, "-" and "."',
  });

function usualSizing(backend: BackendConfig): RuleSetName {
  if (backend.type !== 'cci') return 'none';
  return backend.apiVersion === 'v2' ? 'cci2' : 'cci';
}

const poolSchema = z
  .strictObject({
    name: z
      .string()
      .max(63)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { error: 'must consist of lower-case letters, digits and "-"' })
      .describe('Name of the pool in logs and metrics.'),
    nodeName: nodeName.describe('Name of the virtual node.'),
    labels: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe('More labels of the virtual node, for example topology.kubernetes.io/zone.'),
    taints: z
      .array(taint)
      .default([{ ...burstTaint }, { ...preferTaint }])
      .describe(
        'Taints of the virtual node, in place of those that keep away pods that did not ask to burst. An empty list lets every pod of the cluster run here: see placement.md.',
      ),
    capacity: capacity.prefault({}),
    address: ipAddress
      .optional()
      .describe(
        'Address of the virtual node, where the API server reaches the kubelet API. Default: the address from which this machine reaches the API server.',
      ),
    kubeletPort: z
      .number()
      .int()
      .min(1)
      .max(65_535)
      .default(10_250)
      .describe('TCP port of the kubelet API. Each pool needs its own.'),
    servingCertificate,
    dns,
    interconnect: z
      .enum(['off', 'agent', 'route'])
      .default('off')
      .describe(
        'How pods reach the Services of the cluster. off: not at all; agent: by a small container in each pod that asks the cluster for names, which takes link.image; route: their addresses are routed to nodes of the cluster, which somebody else has set up: see interconnect.md. Pods that run keep what they were started with.',
      ),
    ping,
    sweep,
    keepEndedSeconds: z
      .number()
      .min(60)
      .max(31_536_000)
      .default(86_400)
      .describe(
        'How long the instance of a pod that has ended stays on the backend, so that kubectl logs can read its log. The pod and its status stay until the pod is deleted.',
      ),
    deadMan: deadMan.optional(),
    metrics,
    daemonSets: z
      .enum(['placeholder', 'reject'])
      .default('placeholder')
      .describe(
        'What happens to pods of DaemonSets, which never run here. placeholder: they are shown as running, without an address, so that the rollout of their DaemonSet finishes; reject: they stay Pending, with the reason.',
      ),
    sizing: z
      .enum(ruleSetNames)
      .optional()
      .describe(
        'Sizes in which pods run: see sizing.md. Default: cci for a backend of type cci (cci2 with apiVersion v2), none for others: pods run as they are specified.',
      ),
    backend: backendSchema,
  })
  .transform((pool) => ({ ...pool, sizing: pool.sizing ?? usualSizing(pool.backend) }))
  .describe('One virtual node and the backend that runs its pods.');

const kubernetes = z
  .strictObject({
    kubeconfig: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Path of a kubeconfig file. Default: the service account inside a cluster, else $KUBECONFIG, else ~/.kube/config.',
      ),
    context: z.string().min(1).optional().describe("Context of the kubeconfig. Default: the file's current context."),
  })
  .prefault({})
  .describe('How to reach the cluster.');

const seconds = (unset: number): z.ZodDefault<z.ZodNumber> => z.number().min(1).max(600).default(unset);

const placement = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Bind pods that may run nowhere else and those that the scheduler has no room for, keep the order of scale-in, and count the pods of ScheduleProfiles.',
      ),
    overflowDelaySeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(0)
      .describe(
        'How long a pod with auto or localPrefer has been Unschedulable before it overflows. A few seconds keep the surge of a rolling update off paid capacity.',
      ),
    soldOutPatienceSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(30)
      .describe(
        'A pod with auto or localPrefer that is bound, has never started and is refused for lack of room for this time is deleted, so that its successor can run elsewhere.',
      ),
    maxBindsPerSecond: z
      .number()
      .positive()
      .max(100_000)
      .optional()
      .describe(
        'Maximum number of pods bound per second, for example what the backends can start. Default: as many as the API server accepts.',
      ),
  })
  .prefault({})
  .describe('Which pods go to which pool, and when.');

const leaderElection = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Several replicas may run with the same configuration; for each pool one is active and the others stand by.',
      ),
    namespace: z
      .string()
      .max(63)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { error: 'must consist of lower-case letters, digits and "-"' })
      .default('spillway-system')
      .describe('Namespace of the leases. It must exist.'),
    leaseName: z
      .string()
      .max(180)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { error: 'must consist of lower-case letters, digits and "-"' })
      .optional()
      .describe(
        "Start of the leases' names; each pool has its own, which ends with the name of the pool. Default: the name of the installation.",
      ),
    leaseDurationSeconds: z
      .number()
      .int()
      .min(1)
      .max(600)
      .default(10)
      .describe('A replica that stands by takes over when the lease was not renewed for this time.'),
    renewDeadlineSeconds: seconds(7).describe('A replica that cannot renew its lease stops acting after this time.'),
    retryPeriodSeconds: seconds(2).describe('Between renewals, and between looks at the lease of another.'),
  })
  .prefault({})
  .refine(
    ({ leaseDurationSeconds, renewDeadlineSeconds, retryPeriodSeconds }) =>
      leaseDurationSeconds > renewDeadlineSeconds && renewDeadlineSeconds > retryPeriodSeconds * 1.2,
    {
      error:
        'leaseDurationSeconds must be longer than renewDeadlineSeconds, and that longer than 1.2 times retryPeriodSeconds',
    },
  )
  .describe('Replicas of spillway serve: which one is active.');

const dnsLabel = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { error: 'must consist of lower-case letters, digits and "-"' });

const admission = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Serve the admission webhooks. Apply "spillway manifests admission" so that the API server calls them.',
      ),
    carrier: z
      .enum(['auto', 'policy', 'webhook'])
      .default('auto')
      .describe(
        'What carries the rules: admission policies (Kubernetes 1.36 and newer), which work while Spillway is down, or webhooks. auto: policies where the cluster has them.',
      ),
    port: z.number().int().min(1).max(65_535).default(9443).describe('TCP port of the webhooks.'),
    namespace: dnsLabel
      .default('spillway-system')
      .describe("Namespace of the Service, and of the Secret with the webhooks' certificate authority."),
    serviceName: dnsLabel
      .optional()
      .describe(
        'Service through which the API server reaches the webhooks. It selects pods with the labels app.kubernetes.io/name=spillway and app.kubernetes.io/instance=NAME. Default: NAME-admission, with the name of the installation.',
      ),
    url: z
      .string()
      .regex(/^https:\/\/[^/?#@]+$/, { error: 'must be https://HOST:PORT without a path' })
      .optional()
      .describe(
        'Where the API server reaches the webhooks if not through a Service, for example https://10.0.0.5:9443.',
      ),
    clientCAFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with the certificate authorities (PEM) of the API server’s client certificate. Then the webhooks answer nobody else. The API server must be configured to log in: --admission-control-config-file. Default: everybody is answered, within limits.',
      ),
  })
  .prefault({})
  .describe('Who bursts is decided when objects are created: see placement.md.');

const ledger = z
  .strictObject({
    directory: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder for a file POOL.jsonl of each pool, created if it does not exist. It must outlive the process. Default: no ledger is kept.',
      ),
  })
  .prefault({})
  .describe('Which pod was billed from when to when, for "spillway ledger": see ledger.md.');

const observability = z
  .strictObject({
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .describe('Least important level that is logged.'),
    healthPort: z
      .number()
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe(
        'TCP port for liveness and readiness probes: HTTPS with a self-signed certificate, /healthz (liveness) and /readyz (readiness), which name the pools and say whether this process leads them. It also answers while the process stands by. Default: none.',
      ),
  })
  .prefault({})
  .describe('Logs and metrics. Metrics are served on the kubelet API of each pool at /metrics.');

const link = z
  .strictObject({
    image: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Image of the link agent, as the backend can pull it. Needed if a pool has interconnect: agent. Keep it when you switch that off, as long as pods with agents run.',
      ),
    port: z
      .number()
      .int()
      .min(1)
      .max(65_535)
      .default(10_270)
      .describe('TCP port to which the agents connect, with TLS. Served if link.image is set.'),
    servers: z
      .array(
        z.string().regex(/^[A-Za-z0-9.-]+:\d{1,5}$/, { error: 'must be HOST:PORT, with an IPv4 address or a name' }),
      )
      .default([])
      .describe(
        'Where agents reach this port, as HOST:PORT. Pods keep these addresses as long as they run, so they must stay the same: for example that of an internal load balancer. Default: the address from which this machine reaches the API server.',
      ),
    namespace: dnsLabel
      .default('spillway-system')
      .describe('Namespace of the Secret with the authority that vouches for the servers.'),
  })
  .prefault({})
  .describe('The server of the link agents, which every replica runs: see interconnect.md.');

export const configSchema: z.ZodType<Config> = z
  .strictObject({
    name: z
      .string()
      .max(40)
      .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, {
        error: 'must consist of lower-case letters, digits and "-", and begin with a letter',
      })
      .default('spillway')
      .describe(
        'Name of this installation. The names of its objects in the cluster begin with it: account, roles, admission policies, webhooks and leases. A second installation needs another name.',
      ),
    clusterId: z
      .string()
      .min(1)
      .max(63)
      .regex(/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/, { error: 'must be usable as a label value' })
      .optional()
      .describe(
        'Marks everything that runs on a backend for this cluster. Default: the UID of the kube-system namespace.',
      ),
    kubernetes,
    pools: z
      .array(poolSchema)
      .min(1, { error: 'needs at least one pool' })
      .describe('The virtual nodes that this process serves.'),
    placement,
    leaderElection,
    admission,
    ledger,
    observability,
    link,
  })
  .superRefine((config, context) => {
    const unique = (field: 'name' | 'nodeName' | 'kubeletPort'): void => {
      const first = new Map<string | number, number>();
      config.pools.forEach((pool, index) => {
        const other = first.get(pool[field]);
        if (other === undefined) first.set(pool[field], index);
        else {
          context.addIssue({
            code: 'custom',
            path: ['pools', index, field],
            message: `${JSON.stringify(pool[field])} is already used by pools[${other}]; each pool needs its own`,
          });
        }
      });
    };
    config.pools.forEach(({ interconnect, backend }, index) => {
      if (interconnect === 'off') return;
      const path = ['pools', index, 'interconnect'];
      if (interconnect === 'agent' && config.link.image === undefined) {
        context.addIssue({ code: 'custom', path, message: 'agent needs the image of the agent: set link.image' });
      }
      if (backend.type === 'simulated') {
        context.addIssue({ code: 'custom', path, message: `${interconnect} needs a backend that runs containers` });
      }
    });
    config.pools.forEach(({ deadMan: silence, backend }, index) => {
      if (silence === undefined) return;
      const path = ['pools', index, 'deadMan'];
      if (backend.type === 'simulated') {
        context.addIssue({ code: 'custom', path, message: 'needs a backend whose instances outlive Spillway' });
      } else if (backend.type === 'cci' && silence.image !== undefined) {
        context.addIssue({
          code: 'custom',
          path: [...path, 'image'],
          message:
            'CCI cannot run this job: its pods have no account that may end others. Leave out the image, and run "spillway dead-man" at intervals elsewhere, see dead-man.md',
        });
      }
    });
    unique('name');
    config.pools.forEach(({ name }, index) => {
      if (name !== placementName) return;
      context.addIssue({
        code: 'custom',
        path: ['pools', index, 'name'],
        message: `"${placementName}" is the name of the placement controller's lease`,
      });
    });
    unique('nodeName');
    unique('kubeletPort');
    config.pools.forEach((pool, index) => {
      if (pool.ping.timeoutSeconds > pool.ping.intervalSeconds) {
        context.addIssue({
          code: 'custom',
          path: ['pools', index, 'ping', 'timeoutSeconds'],
          message: `must not be longer than ping.intervalSeconds (${pool.ping.intervalSeconds})`,
        });
      }
    });
  })
  .transform((config) => {
    const { name, leaderElection: election, admission: webhooks } = config;
    return {
      ...config,
      leaderElection: { ...election, leaseName: election.leaseName ?? name },
      admission: { ...webhooks, serviceName: webhooks.serviceName ?? `${name}-admission` },
    };
  })
  .describe('Configuration of spillway serve.');
