import { z } from 'zod';
import { quantity } from './values.ts';

type Duration =
  | number
  | { readonly minMs: number; readonly maxMs: number }
  | { readonly medianMs: number; readonly p99Ms: number };

const calls = [
  'prepare',
  'create',
  'update',
  'withdraw',
  'stop',
  'remove',
  'list',
  'ping',
  'logs',
  'exec',
  'attach',
  'portForward',
  'usage',
] as const;
type Call = (typeof calls)[number];

const kinds = [
  'notFound',
  'invalid',
  'conflict',
  'quota',
  'soldOut',
  'blocked',
  'unauthorized',
  'throttled',
  'unavailable',
  'internal',
] as const;

/** What the simulated backend rehearses. What each field means stands below and in docs/rehearsal.md. */
export interface ScenarioConfig {
  readonly seed: number;
  readonly latency: Readonly<Partial<Record<Call | 'all', Duration | undefined>>>;
  readonly placeDelay?: Duration | undefined;
  readonly startDelay?: Duration | undefined;
  readonly faults: readonly {
    readonly on: Call | readonly Call[];
    readonly fails: (typeof kinds)[number];
    readonly chance?: number | undefined;
    readonly fromSeconds?: number | undefined;
    readonly toSeconds?: number | undefined;
    readonly timesPerPod?: number | undefined;
    readonly pods?: string | undefined;
    readonly effect?: 'none' | 'half' | 'done' | undefined;
    readonly retryAfterMs?: number | undefined;
    readonly message?: string | undefined;
  }[];
  readonly lists: { readonly incompleteChance?: number | undefined; readonly lag?: Duration | undefined };
  readonly watches: {
    readonly dropChance?: number | undefined;
    readonly loseChance?: number | undefined;
    readonly lag?: Duration | undefined;
  };
  readonly restarts: readonly {
    readonly atSeconds: number;
    readonly downSeconds: number;
    readonly everySeconds?: number | undefined;
  }[];
  readonly usage: {
    readonly everySeconds: number;
    readonly containers: readonly {
      readonly pods?: string | undefined;
      readonly containers?: string | undefined;
      readonly cpu?: string | undefined;
      readonly memory?: string | undefined;
      readonly cpuPerMinute?: string | undefined;
      readonly memoryPerMinute?: string | undefined;
    }[];
  };
}

const ms = z.number().min(0).max(86_400_000);
const seconds = z.number().min(0).max(31_536_000);
const chance = z.number().min(0).max(1);
const duration = z.union([
  ms,
  z
    .strictObject({ minMs: ms, maxMs: ms })
    .refine(({ minMs, maxMs }) => minMs <= maxMs, { error: 'minMs must not be more than maxMs' }),
  z
    .strictObject({ medianMs: ms, p99Ms: ms })
    .refine(({ medianMs, p99Ms }) => medianMs <= p99Ms, { error: 'medianMs must not be more than p99Ms' }),
]);

const fault = z.strictObject({
  on: z.union([z.enum(calls), z.array(z.enum(calls)).min(1)]),
  fails: z.enum(kinds),
  chance: chance.optional(),
  fromSeconds: seconds.optional(),
  toSeconds: seconds.optional(),
  timesPerPod: z.number().int().min(1).optional(),
  pods: z.string().min(1).optional(),
  effect: z.enum(['none', 'half', 'done']).optional(),
  retryAfterMs: ms.optional(),
  message: z.string().min(1).max(1000).optional(),
});

export const scenarioSchema: z.ZodType<ScenarioConfig> = z.strictObject({
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1),
  latency: z.partialRecord(z.enum([...calls, 'all']), duration).default({}),
  placeDelay: duration.optional(),
  startDelay: duration.optional(),
  faults: z.array(fault).default([]),
  lists: z.strictObject({ incompleteChance: chance.optional(), lag: duration.optional() }).prefault({}),
  watches: z
    .strictObject({ dropChance: chance.optional(), loseChance: chance.optional(), lag: duration.optional() })
    .prefault({}),
  restarts: z
    .array(
      z.strictObject({
        atSeconds: seconds,
        downSeconds: seconds,
        everySeconds: z.number().positive().max(31_536_000).optional(),
      }),
    )
    .default([]),
  usage: z
    .strictObject({
      everySeconds: z.number().min(0.1).max(300).default(15),
      containers: z
        .array(
          z.strictObject({
            pods: z.string().min(1).optional(),
            containers: z.string().min(1).optional(),
            cpu: quantity.optional(),
            memory: quantity.optional(),
            cpuPerMinute: quantity.optional(),
            memoryPerMinute: quantity.optional(),
          }),
        )
        .default([]),
    })
    .prefault({}),
});
