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
  #isSuspicious = false;

  constructor(options: BeliefOptions) {
    this.#options = options;
    this.#suspicion = new Suspicion(options.suspicion);
  }

  /** False: it lacks so much of what was there that the backend may be wrong. */
  holds(listing: ObservedListing): boolean {
    const { registry, requests, alarm } = this.#options;
    const { seen, missing } = registry.absence(listing);
    const heldBack = this.#suspicion.observe(listing.startedMs, missing, seen);
    const isNew = !this.#isSuspicious;
    this.#isSuspicious = heldBack !== undefined;
    if (heldBack === undefined) return true;
    requests.requestIn(Math.min(heldBack.remainingMs, mostPerListingMs));
    if (isNew) suspiciousListing(heldBack, alarm);
    return false;
  }
}

function suspiciousListing({ candidates: missing, total: seen, remainingMs }: HeldBack, alarm: Alarm): void {
  const seconds = Math.ceil(remainingMs / 1000);
  const message = `The backend does not list ${missing} of ${seen} instances any more, and nobody told of their end. Their pods are reported as lost if its listings say so for ${seconds} s.`;
  alarm({ severity: 'Warning', reason: 'SuspiciousListing', message }, { missing, seen, seconds });
}

export function suspiciousSweep({ candidates, total, remainingMs }: HeldBack, alarm: Alarm): void {
  const minutes = Math.ceil(remainingMs / 60_000);
  const message = `${candidates} of ${total} instances on the backend have no pod in this cluster. They are verified again and removed in ${minutes} minutes; if that is wrong, stop Spillway before.`;
  alarm({ severity: 'Warning', reason: 'SuspiciousSweep', message }, { candidates, total, minutes });
}
