import { expect, test } from 'vitest';
import { heartbeatData, readHeartbeat, readNote, noteOf } from './heartbeat-object.ts';
import { jobObjects } from './job-objects.ts';

const renewal = {
  nowMs: Date.parse('2026-11-30T06:00:00Z'),
  beat: 'b',
  afterMs: 21_600_000,
  everyMs: 120_000,
  hasJob: true,
};

test('a heartbeat says all that whoever looks at it has to know', () => {
  const { nowMs, hasJob: _, ...terms } = renewal;
  expect(readHeartbeat({ data: heartbeatData(renewal) })).toEqual({ renewedMs: nowMs, ...terms });
});

test.each([
  ['time', { renewedAt: 'yesterday' }],
  ['limit', { afterSeconds: '0' }],
  ['limit that is a number', { afterSeconds: 'soon' }],
  ['interval', { everySeconds: '' }],
  ['beat', { beat: '' }],
])('one without a %s is none, so that nothing is ended because of it', (_, damage) => {
  expect(readHeartbeat({ data: { ...heartbeatData(renewal), ...damage } })).toBeUndefined();
});

test('what was ended is noted on it', () => {
  const ended = { at: '2026-11-30T12:00:00.000Z', silentSince: '2026-11-30T06:00:00.000Z', instances: 7 };
  expect(readNote({ data: noteOf(ended) })).toEqual(ended);
  expect(readNote({ data: heartbeatData(renewal) })).toBeUndefined();
});

test('the job may do nothing but read and note on its heartbeat, and end pods of its namespace', () => {
  const owner = { clusterId: 'c', nodeName: 'virtual' };
  const [, role, binding, job] = jobObjects({ owner, namespace: 'burst', image: 'spillway:1' });
  const name = role.metadata?.name ?? '';
  expect(role.rules).toEqual([
    { apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'patch', 'delete'] },
  ]);
  expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name, namespace: 'burst' }]);
  expect(name.length).toBeLessThanOrEqual(52);
  expect(job.spec?.concurrencyPolicy).toBe('Forbid');
});
