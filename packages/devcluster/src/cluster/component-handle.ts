/** One supervised program, for tests of faults. */
export interface ComponentHandle {
  /**
   * It stays away until `start`. Resolves when its process is gone.
   * Default signal: SIGKILL, because an API server takes a minute to say farewell to its watchers.
   */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Resolves when it is ready. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** Undefined while it does not run. */
  pid(): Promise<number | undefined>;
  /** Path of the file with its output. */
  readonly log: string;
}
