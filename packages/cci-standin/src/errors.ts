/** `invalid`: what was asked for cannot be. The message says what happened and what to do; it may be shown to people as it is. */
export class RegionError extends Error {
  readonly kind: 'failed' | 'invalid';

  constructor(message: string, { kind = 'failed', ...options }: ErrorOptions & { kind?: 'failed' | 'invalid' } = {}) {
    super(message, options);
    this.name = 'RegionError';
    this.kind = kind;
  }
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
