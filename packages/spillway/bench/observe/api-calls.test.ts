import { expect, test } from 'vitest';
import { apiCalls, callsPerPod } from './api-calls.ts';

const line = (verb: string, resource: string, subresource: string, code: number, value: number): string =>
  `apiserver_request_total{code="${code}",component="apiserver",dry_run="",group="",resource="${resource}",scope="resource",subresource="${subresource}",verb="${verb}",version="v1"} ${value}\n`;

const page = (factor: number): string =>
  `# HELP apiserver_request_total Counter of requests\n# TYPE apiserver_request_total counter\n${[
    line('POST', 'pods', '', 201, 10 * factor),
    line('DELETE', 'pods', '', 200, 20 * factor),
    line('DELETE', 'pods', '', 404, 5 * factor),
    line('PATCH', 'pods', 'status', 200, 20 * factor),
    line('LIST', 'pods', '', 200, factor),
    line('WATCH', 'pods', '', 200, 3 * factor),
    line('PUT', 'leases', '', 200, 7 * factor),
    line('POST', 'events', '', 201, 4 * factor),
  ].join('')}`;

test('calls are counted by verb and resource, whatever their answer; watches and other resources are not', () => {
  expect(Object.fromEntries(apiCalls(page(1)))).toEqual({
    'POST pods': 10,
    'DELETE pods': 25,
    'PATCH pods/status': 20,
    'LIST pods': 1,
    'POST events': 4,
  });
});

test('what the load generator did itself does not count for the agent', () => {
  expect(callsPerPod(apiCalls(page(1)), apiCalls(page(2)), 10)).toEqual({
    'DELETE pods': 1.5,
    'PATCH pods/status': 2,
    'POST events': 0.4,
  });
});
