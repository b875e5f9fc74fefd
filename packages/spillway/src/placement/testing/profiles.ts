import type { ScheduleProfile, ScheduleProfileSpec } from '../rules/schedule-profile.ts';

export function testProfile(
  name: string,
  spec: Partial<ScheduleProfileSpec> = {},
  created = '2026-01-01T00:00:00Z',
): ScheduleProfile {
  return {
    apiVersion: 'scheduling.cci.io/v2',
    kind: 'ScheduleProfile',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, generation: 1, creationTimestamp: created },
    spec: { objectLabels: { matchLabels: { app: 'web' } }, strategy: 'localPrefer', ...spec },
  };
}
