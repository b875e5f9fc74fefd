import { counted } from '../../podspec/words.ts';
import type { Notice } from '../../backends/backend.ts';
import { type HeldBack, mostPerListingMs, Suspicion, type SuspicionOptions } from '../../podspec/absence/suspicion.ts';
import type { Registry } from '../registry.ts';
import type { ObservedListing } from './instance-observer.ts';
import type { ListingRequests } from './listing-requests.ts';

/** Something about instances that people should look at: in the log, and on the virtual node. */
export type Alarm = (notice: Notice, fields: object) => void;

export interface BeliefOptions {
  readonly registry: Pick<Registry, 'absence'>;
  readonly suspicion: SuspicionOptions;
  readonly requests: Pick<ListingRequests, 'requestIn'>;
  readonly alarm: Alarm;
}

/**
 * Whether listings are believed. One that suddenly lacks most of what was there is not: to believe it at once would fail all
 * pods and then end their instances. It is asked for again when it would be, for all may really be lost.
 */
export class Belief {
  readonly #options: BeliefOptions;
  readonly #suspicion: Suspicion;
  #heldBack = 0;

  constructor(options: BeliefOptions) {
    this.#options = options;
    this.#suspicion = new Suspicion(options.suspicion);
  }

  /** How many instances the newest listing lacks that are not taken for lost yet. */
  get heldBack(): number {
    return this.#heldBack;
  }

  /** False: it lacks so much of what was there that the backend may be wrong. */
  holds(listing: ObservedListing): boolean {
    const { registry, requests, alarm } = this.#options;
    const { seen, missing } = registry.absence(listing);
    const heldBack = this.#suspicion.observe(listing.startedMs, missing, seen);
    const isNew = this.#heldBack === 0;
    this.#heldBack = heldBack?.candidates ?? 0;
    if (heldBack === undefined) return true;
    requests.requestIn(Math.min(heldBack.remainingMs, mostPerListingMs));
    if (isNew) suspiciousListing(heldBack, alarm);
    return false;
  }
}

function suspiciousListing({ candidates: missing, total: seen, remainingMs }: HeldBack, alarm: Alarm): void {
  const seconds = Math.ceil(remainingMs / 1000);
  const message = `The backend no longer lists ${missing} of ${seen} instances and has not reported their end. If its listings stay like this for ${seconds} s, their pods are reported as lost.`;
  alarm({ severity: 'Warning', reason: 'SuspiciousListing', message }, { missing, seen, seconds });
}

export function suspiciousSweep({ candidates, total, remainingMs }: HeldBack, alarm: Alarm): void {
  const minutes = Math.ceil(remainingMs / 60_000);
  const message = `${candidates} of ${total} instances on the backend have no pod in this cluster. They are checked again and removed in ${counted(minutes, 'minute')}; if that is wrong, stop Spillway before then.`;
  alarm({ severity: 'Warning', reason: 'SuspiciousSweep', message }, { candidates, total, minutes });
}
