import type { Fit } from '../podspec/fit/fit.ts';

/** `notNow`: something around the pods has to change; `no`: the pods have to. */
export type Burst = 'yes' | 'notNow' | 'no';

export function burstOf({ kind }: Fit): Burst {
  if (kind === 'fits') return 'yes';
  return kind === 'refused' || kind === 'selector' ? 'no' : 'notNow';
}
