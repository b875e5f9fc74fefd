import { nanosecondsOf } from '@spillway/kube';
import type { LogOptions } from '../backends/backend.ts';
import { Problem } from './problem.ts';

const streams = ['All', 'Stdout', 'Stderr'] as const;

/**
 * Kubernetes' PodLogOptions in a query.
 *
 * @param now milliseconds since the epoch, from which `sinceSeconds` counts
 * @throws {Problem} 400 with a sentence that names the option
 */
export function parseLogOptions(query: URLSearchParams, now: number): LogOptions {
  const lines = query.get('tailLines') ?? legacyTail(query);
  const tailLines = lines === null ? undefined : wholeNumber('tailLines', lines, 0);
  const limitBytes = query.has('limitBytes') ? wholeNumber('limitBytes', query.get('limitBytes'), 1) : undefined;
  const since = sinceOf(query, now);
  return {
    follow: flag('follow', query),
    previous: flag('previous', query),
    timestamps: flag('timestamps', query),
    stream: stream(query.get('stream')),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(since === undefined ? {} : { since }),
  };
}

/** What `tailLines` was called at first. */
function legacyTail(query: URLSearchParams): string | null {
  const tail = query.get('tail');
  return tail === '' || tail === 'all' ? null : tail;
}

function sinceOf(query: URLSearchParams, now: number): bigint | undefined {
  const seconds = query.get('sinceSeconds');
  const time = query.get('sinceTime');
  if (seconds !== null && time !== null) throw invalid('at most one of sinceSeconds and sinceTime may be given');
  if (seconds !== null) return (BigInt(now) - BigInt(wholeNumber('sinceSeconds', seconds, 1)) * 1000n) * 1_000_000n;
  if (time === null) return undefined;
  const since = nanosecondsOf(time);
  if (since === undefined) {
    throw invalid(`sinceTime must be a time like 2006-01-02T15:04:05Z, but is ${JSON.stringify(time)}`);
  }
  return since;
}

function wholeNumber(name: string, text: string | null, min: number): number {
  const value = Number(text);
  if (text !== null && /^\d+$/.test(text) && value >= min && Number.isSafeInteger(value)) return value;
  throw invalid(`${name} must be a whole number of at least ${min}, but is ${JSON.stringify(text)}`);
}

function flag(name: string, query: URLSearchParams): boolean {
  const text = query.get(name)?.toLowerCase();
  if (text === undefined || text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1' || text === '') return true;
  throw invalid(`${name} must be true or false, but is ${JSON.stringify(query.get(name))}`);
}

function stream(text: string | null): LogOptions['stream'] {
  const found = streams.find((name) => name === (text ?? 'All'));
  if (found !== undefined) return found;
  throw invalid(`stream must be one of ${streams.join(', ')}, but is ${JSON.stringify(text)}`);
}

function invalid(message: string): Problem {
  return new Problem(400, `invalid log options: ${message}`);
}
