import type { Reason } from './refusal.ts';

// What people read of reasons: each once, with all the fields that it is about.

/** One problem with all its places, e.g. `spec.containers[0].volumeMounts (container app)`. */
interface Told extends Pick<Reason, 'code' | 'message' | 'remedy'> {
  readonly places: string;
}

export function toldOf(reasons: readonly Reason[]): readonly Told[] {
  const told = new Map<string, { readonly reason: Reason; readonly places: Set<string> }>();
  for (const reason of reasons) {
    const { code, message, remedy } = reason;
    const key = [code, message, remedy].join('\n');
    const known = told.get(key) ?? { reason, places: new Set() };
    known.places.add(placeText(reason));
    told.set(key, known);
  }
  return Array.from(told.values(), ({ reason: { code, message, remedy }, places }) => ({
    code,
    message,
    remedy,
    places: [...places].join(', '),
  }));
}

export function reasonSentences(reasons: readonly Reason[]): readonly string[] {
  return toldOf(reasons).map(({ places, message, remedy }) => `${places}: ${message}. ${remedy}`);
}

export function reasonsText(reasons: readonly Reason[]): string {
  return reasonSentences(reasons).join(' ');
}

/** @param reasons by name of the pool; what several pools say is told once */
export function poolSentences(reasons: ReadonlyMap<string, readonly Reason[]>): readonly string[] {
  const pools = new Map<string, string[]>();
  for (const [pool, those] of reasons) {
    for (const sentence of reasonSentences(those)) pools.set(sentence, [...(pools.get(sentence) ?? []), pool]);
  }
  return Array.from(pools, ([sentence, names]) => {
    return `${names.length === 1 ? 'Pool' : 'Pools'} ${names.join(', ')}: ${sentence}`;
  });
}

/** The API server takes no more of an event. */
const longestEvent = 1024;

/** As many of the sentences as fit into an event of the pod, and where the others are. */
export function eventText(sentences: readonly string[], pod: string): string {
  const whole = sentences.join(' ');
  if (whole.length <= longestEvent) return whole;
  const told: string[] = [];
  const rest = (): string => `${sentences.length - told.length} more: spillway why pod/${pod}`;
  for (const sentence of sentences) {
    if ([...told, sentence, rest()].join(' ').length > longestEvent) break;
    told.push(sentence);
  }
  return [...told, rest()].join(' ');
}

function placeText({ field, container }: Reason): string {
  return container === undefined ? field : `${field} (container ${container})`;
}
