import { z } from 'zod';
import { absolutePath } from './values.ts';

export type BackendConfig = CriBackendConfig | SimulatedBackendConfig;

export interface CriBackendConfig {
  readonly type: 'cri';
  readonly socket: string;
  readonly stateDir: string;
  readonly cgroupParent: string;
}

export interface SimulatedBackendConfig {
  readonly type: 'simulated';
}

const cri = z
  .strictObject({
    type: z.literal('cri').describe('Containers of a container runtime on this machine.'),
    socket: absolutePath.describe(
      'Unix socket of the runtime. It must not be one that a kubelet uses: a kubelet ends what it does not know.',
    ),
    stateDir: absolutePath.describe('Folder for volumes and logs of the pods.'),
    cgroupParent: z
      .string()
      .min(1)
      .default('/spillway')
      .describe("Control group under which the pods' groups are made."),
  })
  .describe('Runs pods as containers through the Container Runtime Interface.');

const simulated = z
  .strictObject({
    type: z.literal('simulated').describe('No containers: everything is answered from memory.'),
  })
  .describe('Pretends to run pods. For demos, rehearsals and tests.');

export const backendSchema: z.ZodType<BackendConfig> = z
  .discriminatedUnion('type', [cri, simulated])
  .describe('What runs the pods of this pool.');
