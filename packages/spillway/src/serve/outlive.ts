/** Aborted `ms` after `signal` is. */
export function outlive(signal: AbortSignal, ms: number): AbortSignal {
  const later = new AbortController();
  const begin = (): void => void setTimeout(() => later.abort(signal.reason), ms);
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return later.signal;
}
