/**
 * `mistake`: the command line, the configuration or the credentials have to be changed before trying again helps.
 * `findings`: the question was answered, and the answer is that something is wrong.
 */
export const exitCodes = { failure: 1, mistake: 2, findings: 3 } as const;

/** What was asked for cannot be meant. */
export class UsageError extends Error {}
