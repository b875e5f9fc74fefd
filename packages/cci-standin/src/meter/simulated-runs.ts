import { readFile } from 'node:fs/promises';
import { at, listAt, objectAt, parseJson } from '../json.ts';
import type { Run } from './bills.ts';
import { runOf } from './run-of.ts';

/** What a simulated node pretends to run, from the file in which it keeps it. */
export async function simulatedRuns(instancesFile: string): Promise<readonly Run[]> {
  try {
    return runsIn(await readFile(instancesFile));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** @param content a list, each with a `record` and, as text, a `workload` */
export function runsIn(content: Uint8Array): readonly Run[] {
  const kept = parseJson(content);
  return listAt({ kept }, 'kept').flatMap((each) => {
    const workload = parseJson(Buffer.from(String(at(each, 'workload'))));
    const containers = Object.values(objectAt(each, 'record', 'containers')).map((container) => ({
      startedMs: earliest(
        ['state', 'lastState'].flatMap((state) =>
          ['running', 'terminated'].map((kind) => timeAt(container, state, kind, 'startedAt')),
        ),
      ),
      finishedMs: at(container, 'state', 'running')
        ? undefined
        : (timeAt(container, 'state', 'terminated', 'finishedAt') ??
          timeAt(container, 'lastState', 'terminated', 'finishedAt')),
    }));
    return runOf(String(at(workload, 'ref', 'uid')), containers) ?? [];
  });
}

function timeAt(value: unknown, ...path: readonly string[]): number | undefined {
  const ms = Date.parse(String(at(value, ...path)));
  return Number.isNaN(ms) ? undefined : ms;
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
