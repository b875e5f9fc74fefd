import { parseMetrics } from './prometheus.ts';

/** What the API server has done so far, and how many watches it serves. */
export interface ApiLoad {
  /** Without the load generator's: it changes endpoints. */
  readonly requests: number;
  readonly tokenReviews: number;
  readonly watchEvents: number;
  readonly watches: number;
}

/** From its `/metrics` page. */
export function apiLoad(page: string): ApiLoad {
  const requests = parseMetrics(page, 'apiserver_request_total');
  const sum = (samples: typeof requests): number => samples.reduce((total, { value }) => total + value, 0);
  return {
    requests: sum(
      requests.filter(({ labels }) => labels['verb'] !== 'PATCH' || labels['resource'] !== 'endpointslices'),
    ),
    tokenReviews: sum(requests.filter(({ labels }) => labels['resource'] === 'tokenreviews')),
    watchEvents: sum(parseMetrics(page, 'apiserver_watch_events_total')),
    watches: sum(
      parseMetrics(page, 'apiserver_longrunning_requests').filter(({ labels }) => labels['verb'] === 'WATCH'),
    ),
  };
}
