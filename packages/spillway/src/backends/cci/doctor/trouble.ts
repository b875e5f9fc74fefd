import { toBackendError } from '../errors.ts';
import type { Trouble } from './view.ts';

export function troubleOf(error: unknown): Trouble {
  const { kind, message, remedy, reason } = toBackendError(error);
  return { kind, message, remedy, reason };
}
