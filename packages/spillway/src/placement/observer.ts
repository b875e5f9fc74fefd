import type { BinderObserver } from './binder/binder.ts';
import type { ProfileObserver } from './profiles/profile-controller.ts';

/** What the placement controller tells, for metrics. */
export interface PlacementObserver extends BinderObserver, ProfileObserver {
  readonly scaledIn: (misses: number) => void;
  readonly reclaimed: (reason: string) => void;
  readonly eventDropped: (why: string) => void;
}
