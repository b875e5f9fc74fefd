import { z } from 'zod';
import { type CciBackendConfig, cciSchema } from './cci.ts';
import { type ScenarioConfig, scenarioSchema } from './scenario.ts';
import { absolutePath } from './values.ts';

export type BackendConfig = CciBackendConfig | KubernetesBackendConfig | SimulatedBackendConfig;

export interface KubernetesBackendConfig {
  readonly type: 'kubernetes';
  readonly kubeconfig: string;
  readonly context?: string | undefined;
  readonly namespace: string;
  readonly createNamespace: boolean;
  readonly hostsImage?: string | undefined;
  readonly claims: Readonly<Record<string, string>>;
}

export interface SimulatedBackendConfig {
  readonly type: 'simulated';
  readonly startDelayMs: number;
  readonly stopDelayMs: number;
  readonly podCidr: string;
  readonly stateFile?: string | undefined;
  /** A path only in the file: loading the configuration reads it. */
  readonly scenario?: string | ScenarioConfig | undefined;
}

const claimName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, { error: 'must be the name of a PersistentVolumeClaim' });

const kubernetes = z
  .strictObject({
    type: z.literal('kubernetes').describe('Pods in a namespace of another cluster.'),
    kubeconfig: absolutePath.describe(
      'Kubeconfig file for the other cluster. The files that it refers to are read again when they change.',
    ),
    context: z.string().min(1).optional().describe("Context of the kubeconfig. Default: the file's current context."),
    namespace: z
      .string()
      .max(63)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { error: 'must consist of lower-case letters, digits and "-"' })
      .default('spillway')
      .describe('Namespace of the other cluster in which the pods run. Each cluster that bursts needs its own.'),
    createNamespace: z
      .boolean()
      .default(true)
      .describe('Create the namespace if it does not exist. Otherwise it must already exist.'),
    hostsImage: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Image with a shell (sh) for a container that writes the fully qualified name of a pod with a subdomain into its /etc/hosts, before its other containers start. Default: the image of a container of the pod that runs a shell, if there is one.',
      ),
    claims: z
      .record(
        z.string().regex(/^[^/]+\/[^/]+$/, { error: 'must be NAMESPACE/NAME of a PersistentVolumeClaim' }),
        claimName,
      )
      .default({})
      .describe(
        'PersistentVolumeClaims in the namespace of the other cluster, by NAMESPACE/NAME of the claims that pods use. Pods with other claims are refused: see storage.md.',
      ),
  })
  .describe('Runs pods in a namespace of any cluster: see backend-kubernetes.md.');

const simulated = z
  .strictObject({
    type: z.literal('simulated').describe('No containers: everything is answered from memory.'),
    startDelayMs: z.number().min(0).max(3_600_000).default(300).describe('From create until the containers "run".'),
    stopDelayMs: z.number().min(0).max(3_600_000).default(100).describe('From SIGTERM until a container has "ended".'),
    podCidr: z
      .string()
      .regex(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, { error: 'must be an IPv4 network such as 10.246.0.0/16' })
      .default('10.246.0.0/16')
      .describe('Network of the pods. Nothing answers there.'),
    stateFile: absolutePath
      .optional()
      .describe('Instances are kept in this file and found again after a restart. Default: they end with the process.'),
    scenario: z
      .union([absolutePath, scenarioSchema], {
        error: 'must be the absolute path of a scenario file, or a scenario: see docs/rehearsal.md',
      })
      .optional()
      .describe('What goes wrong on this backend, or the file that describes it: see rehearsal.md. Default: nothing.'),
  })
  .describe('Pretends to run pods. For demos, rehearsals and tests.');

/** What to use in place of types that there were once. */
const formerBackends: ReadonlyMap<unknown, string> = new Map([
  [
    'cri',
    'the backend "cri", containers on this machine, no longer exists: use kubernetes, with a cluster whose kubelet runs them, or simulated to rehearse without containers',
  ],
]);

export const backendSchema: z.ZodType<BackendConfig> = z
  .discriminatedUnion('type', [cciSchema, kubernetes, simulated], {
    error: ({ input }) => formerBackends.get(Reflect.get(Object(input), 'type')),
  })
  .describe('What runs the pods of this pool.');
