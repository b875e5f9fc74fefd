import type { Leadership } from '@spillway/kube';
import { type Backend, BackendError } from '../backends/backend.ts';

/** What changes nothing, or is asked for by a user and not by us. All the rest is for the leader only. */
const harmless: ReadonlySet<string | symbol> = new Set<keyof Backend>([
  'list',
  'watch',
  'logs',
  'exec',
  'attach',
  'portForward',
  'usage',
  'capacity',
  'ping',
  'close',
]);

/**
 * The same backend, which is asked to change something only by the leader. One that sends requests asks once more before each
 * of them, for the leadership may be lost in the middle of a call.
 */
export function guardedBackend(backend: Backend, leadership: Pick<Leadership, 'check'>): Backend {
  return new Proxy(backend, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (harmless.has(name)) return member.bind(target);
      return async (...args: unknown[]): Promise<unknown> => {
        try {
          leadership.check();
        } catch (cause) {
          throw new BackendError('unavailable', 'another replica may serve this pool now', { cause });
        }
        return await Reflect.apply(member, target, args);
      };
    },
  });
}
