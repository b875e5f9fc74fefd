import type { Timing } from '@spillway/kube';
import type { Notice } from '../../backends/backend.ts';
import type { Registry } from '../registry.ts';
import type { ObservedListing } from './instance-observer.ts';
import type { ListingRequests } from './listing-requests.ts';
import { MassAbsence } from './mass-absence.ts';
import type { HeldBack, SweepOptions } from './sweep.ts';

/** Something about instances that people should look at: in the log, and on the virtual node. */
export type Alarm = (notice: Notice, fields: object) => void;

export interface BeliefOptions {
  readonly registry: Pick<Registry, 'absence'>;
  readonly sweep: SweepOptions;
  readonly requests: Pick<ListingRequests, 'requestIn'>;
  readonly timing: Pick<Timing, 'now'>;
  readonly alarm: Alarm;
}

/** Whether listings are believed. One that is not is asked for again when it would be. */
export class Belief {
  readonly #options: BeliefOptions;
  readonly #massAbsence: MassAbsence;
  #untilMs: number | undefined;

  constructor(options: BeliefOptions) {
    this.#options = options;
    this.#massAbsence = new MassAbsence(options.sweep);
  }

  /** False: it lacks so much of what was there that the backend may be wrong. */
  holds(listing: ObservedListing): boolean {
    const { registry, requests, timing, alarm } = this.#options;
    const { startedMs } = listing;
    const { seen, missing } = registry.absence(listing);
    const heldBack = this.#massAbsence.observe({ startedMs, missing, seen });
    const isNew = heldBack !== undefined && heldBack.untilMs !== this.#untilMs;
    this.#untilMs = heldBack?.untilMs;
    if (heldBack === undefined) return true;
    requests.requestIn(heldBack.untilMs - timing.now());
    if (isNew) suspiciousListing(heldBack, startedMs, alarm);
    return false;
  }
}

function suspiciousListing({ candidates: missing, total: seen, untilMs }: HeldBack, nowMs: number, alarm: Alarm): void {
  const seconds = Math.ceil((untilMs - nowMs) / 1000);
  const message = `The backend does not list ${missing} of ${seen} instances any more, and nobody told of their end. Their pods are reported as lost if that stays so for ${seconds} s.`;
  alarm({ severity: 'Warning', reason: 'SuspiciousListing', message }, { missing, seen, seconds });
}

export function suspiciousSweep({ candidates, total, untilMs }: HeldBack, nowMs: number, alarm: Alarm): void {
  const minutes = Math.ceil((untilMs - nowMs) / 60_000);
  const message = `${candidates} of ${total} instances on the backend have no pod in this cluster. They are verified again and removed in ${minutes} minutes; if that is wrong, stop Spillway before.`;
  alarm({ severity: 'Warning', reason: 'SuspiciousSweep', message }, { candidates, total, minutes });
}
