import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveOptions } from './options.ts';
import { claim, newScope, readRecord, readRecords, writeRecord, type ClusterRecord } from './record.ts';

let clusters: string;
beforeEach(async () => {
  clusters = await mkdtemp(join(tmpdir(), 'spillway-records-'));
});
afterEach(() => rm(clusters, { recursive: true }));

function record(name: string): ClusterRecord {
  return {
    version: 1,
    name,
    dir: join(clusters, name),
    scope: newScope(name),
    ownNetwork: false,
    createdAt: new Date(0).toISOString(),
    options: resolveOptions({ name }),
    binaries: {},
    starter: { pid: process.pid, startTime: '1' },
  };
}

test('of several that start a cluster of one name, exactly one gets it, and the others leave nothing', async () => {
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => claim(record('same'))));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const result of results)
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ kind: 'exists' });
  expect(await readdir(clusters)).toEqual(['same']);
});

test('what is written is read, by itself and among others', async () => {
  const [a, b] = [record('a'), record('b')];
  await claim(a);
  await claim(b);
  await writeRecord({ ...a, readyAt: 'now' });
  expect(await readRecord(a.dir)).toEqual({ ...a, readyAt: 'now' });
  expect((await readRecords(clusters)).map(({ name }) => name)).toEqual(['a', 'b']);
});

test('where no cluster was ever made there are none', async () => {
  expect(await readRecords(join(clusters, 'absent'))).toEqual([]);
  expect(await readRecord(join(clusters, 'absent'))).toBeUndefined();
});

test('two clusters of one name have different marks in the system', () => {
  const scopes = new Set(Array.from({ length: 20 }, () => newScope('a')));
  expect(scopes.size).toBeGreaterThan(1);
});
