import { isConflict, isNotFound, type WorkQueue } from '@spillway/kube';

/**
 * Works on the keys of a queue, so many at a time, until `signal` is aborted. What fails is tried again with back-off; a
 * conflict means that a newer version of the object is under way, and its deletion that there is nothing left to do.
 */
export async function workThrough(
  queue: WorkQueue<string>,
  workers: number,
  work: (key: string) => Promise<void>,
  onError: (error: unknown, key: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let key = await queue.get(signal); key !== undefined; key = await queue.get(signal)) {
      try {
        await work(key);
        queue.forget(key);
      } catch (error) {
        if (isNotFound(error)) queue.forget(key);
        else if (!signal.aborted) {
          if (!isConflict(error)) onError(error, key);
          queue.addRateLimited(key);
        }
      } finally {
        queue.done(key);
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
