import { isIP } from 'node:net';
import { z } from 'zod';

const quantityPattern = /^\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;
const quantityMessage = 'must be a Kubernetes quantity such as 4, 500m, 64Gi or 200k';

/** A Kubernetes quantity; YAML's plain numbers are taken as well. */
export const quantity: z.ZodType<string, string | number> = z
  .union(
    [z.string().regex(quantityPattern, { error: quantityMessage }), z.number().nonnegative({ error: quantityMessage })],
    { error: quantityMessage },
  )
  .transform((value) => String(value));

export const ipAddress: z.ZodType<string, string> = z
  .string()
  .refine((value) => isIP(value) !== 0, { error: 'must be an IP address' });

export const absolutePath: z.ZodType<string, string> = z.string().regex(/^\//, { error: 'must be an absolute path' });
