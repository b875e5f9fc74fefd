import { expect, test } from 'vitest';
import { apiLoad } from './api-load.ts';

test('the load of the API server is all requests but those of the load generator, all watches and what they tell', () => {
  const page = [
    'apiserver_request_total{code="200",resource="pods",verb="LIST"} 3',
    'apiserver_request_total{code="200",resource="endpointslices",verb="LIST"} 1',
    'apiserver_request_total{code="200",resource="endpointslices",verb="PATCH"} 50',
    'apiserver_request_total{code="201",resource="tokenreviews",verb="POST"} 2',
    'apiserver_watch_events_total{group="",kind="Pod"} 7',
    'apiserver_watch_events_total{group="",kind="Service"} 8',
    'apiserver_longrunning_requests{resource="pods",verb="WATCH"} 4',
    'apiserver_longrunning_requests{resource="services",verb="WATCH"} 5',
    'apiserver_longrunning_requests{resource="pods",verb="CONNECT"} 6',
  ].join('\n');
  expect(apiLoad(page)).toEqual({ requests: 6, tokenReviews: 2, watchEvents: 15, watches: 9 });
});
