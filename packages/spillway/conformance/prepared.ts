import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BinaryProgress, type E2e, resolveE2e } from '@spillway/devcluster';
import type { Parts } from './images/catalogue.ts';
import { resolveParts } from './images/parts.ts';
import { run } from '../testkit/run-command.ts';

export interface Prepared {
  readonly e2e: E2e;
  readonly parts: Parts;
  /** All images that the tests name. */
  readonly images: readonly string[];
}

export interface PrepareOptions {
  readonly busybox: 'upstream' | 'debian';
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Makes what is missing: the tests, and what their images are made of. */
export async function prepare({ busybox, report, signal }: PrepareOptions): Promise<Prepared> {
  const onBinary = ({ name, version, state, detail }: BinaryProgress): void => {
    if (state !== 'cached') report(`${name} ${version}: ${state}, ${detail}`);
  };
  const e2e = await resolveE2e({ report: onBinary, signal });
  const parts = await resolveParts({ e2e, busybox, report, signal });
  return { e2e, parts, images: await imagesOf(e2e, signal) };
}

async function imagesOf({ tests }: E2e, signal: AbortSignal): Promise<readonly string[]> {
  // It leaves files in its working directory.
  const cwd = await mkdtemp(path.join(tmpdir(), 'spillway-images-'));
  try {
    const listed = await run(tests, ['--list-images'], { cwd, signal });
    return listed.split('\n').filter((line) => /^[^\s/]+\/\S+:\S+$/.test(line));
  } finally {
    await rm(cwd, { recursive: true });
  }
}
