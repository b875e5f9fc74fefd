/** What the kubelet API tells about itself. Label values come from closed sets. */
export interface KubeletMetrics {
  requestServed(record: ServedRequest): void;
  /** Logs and commands that are being served. */
  streamsOpen(count: number): void;
}

export interface ServedRequest {
  /** Kind of the route, or `other`. */
  readonly route: string;
  /** 101 for a command. */
  readonly status: number;
  /** To the end of the answer, or of the command. */
  readonly durationMs: number;
}
