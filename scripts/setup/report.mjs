// Progress of the set-up for people: one line when a step begins, one when it ends, and one every ten seconds between.

const heartbeatMs = 10_000;

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** @param {number} since of performance.now() */
export function elapsed(since) {
  const seconds = (performance.now() - since) / 1000;
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds.toFixed(1)} s` : `${minutes} min ${Math.floor(seconds % 60)} s`;
}

/**
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const began = performance.now();
  say(`set-up: ${what} …`);
  const heartbeat = setInterval(() => say(`set-up: ${what} … ${elapsed(began)}`), heartbeatMs);
  try {
    const result = await work();
    say(`set-up: ${what}: done after ${elapsed(began)}`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}

/** Something that only the user can put right. Its message is all that is shown. */
export class SetupError extends Error {
  name = 'SetupError';

  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Throws unless a command went well.
 *
 * @param {{ code: number, interrupted: boolean }} result
 * @param {string} what
 */
export function check({ code, interrupted }, what) {
  if (interrupted)
    throw new SetupError(`${what} was interrupted. What was finished is kept; the next run goes on from there`, 130);
  if (code !== 0)
    throw new SetupError(`${what} failed (exit ${code}): its messages are above. Run the same command again`);
}
