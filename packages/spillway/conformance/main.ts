import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { currentEnvironment } from '@spillway/devcluster';
import { runMain, say } from '../testkit/main-program.ts';
import { readClasses } from './classes.ts';
import { type ConformanceOptions, parseOptions, type TargetName, targetNames, usage } from './options.ts';
import { renderPage } from './page.ts';
import { prepare } from './prepared.ts';
import type { TestEnd } from './progress.ts';
import { type KeptRun, parseRun, renderRun } from './results.ts';
import { runTarget } from './run-target.ts';
import { type Selection, selectionOf, selectionOfNames } from './selection.ts';
import { renderSummary } from './summary.ts';
import { sigOf } from './test-name.ts';
import { pages } from './words.ts';

const resultsDir = path.join(import.meta.dirname, 'results');
const root = path.join(import.meta.dirname, '../../..');

await runMain({ name: 'conformance tests', usage, parseOptions, run: conformance });

async function conformance(options: ConformanceOptions, signal: AbortSignal): Promise<void> {
  const prepared = await prepare({ busybox: 'upstream', report: say, signal });
  const dir = path.join(currentEnvironment().clustersDir, '../conformance');
  await mkdir(dir, { recursive: true });
  const selection = await selectionFor(options);
  const runs: KeptRun[] = [];
  for (const target of options.targets) {
    const log = (line: string): void => {
      if (!signal.aborted) say(`${target}: ${line}`);
    };
    const since = performance.now();
    const { procs } = options;
    const results = await runTarget(target, dir, { ...prepared, selection, procs, log, onTest: teller(log), signal });
    const minutes = Math.round((performance.now() - since) / 60_000);
    const date = new Date().toISOString().slice(0, 10);
    const run: KeptRun = { target, kubernetes: prepared.e2e.version, date, minutes, results };
    runs.push(run);
    log(`done after ${minutes} min; reports and logs are in ${path.join(dir, target)}`);
    if (options.write) await writeFile(fileOf(target), renderRun(run));
  }
  const control = runs.find(({ target }) => target === 'control') ?? (await keptRun('control'));
  if (options.write) {
    const kept = await allKept();
    const classes = await readClasses();
    for (const language of ['en', 'zh'] as const) {
      const page = path.join(root, pages[language]);
      await writeFile(page, renderPage(kept, await readFile(page, 'utf8'), classes, language));
    }
  }
  process.stdout.write(
    options.output === 'json' ? `${JSON.stringify(runs, undefined, 2)}\n` : renderSummary(runs, control),
  );
}

async function selectionFor({ classes, sigs, focus }: ConformanceOptions): Promise<Selection> {
  if (classes.length === 0) return selectionOf(sigs, focus);
  const part = new RegExp(focus ?? '');
  const known = Array.from(await readClasses()).filter(([, each]) => classes.includes(each));
  const names = known.map(([name]) => name).filter((name) => sigs.length === 0 || sigs.includes(sigOf(name)));
  return selectionOfNames(names.filter((name) => part.test(name)));
}

function teller(log: (line: string) => void): (end: TestEnd) => void {
  let passed = 0;
  let others = 0;
  return ({ name, outcome, seconds }) => {
    if (outcome === 'passed') passed += 1;
    else others += 1;
    log(`${passed} passed, ${others} not; ${outcome} after ${seconds.toFixed(0)} s: ${name}`);
  };
}

function fileOf(target: TargetName): string {
  return path.join(resultsDir, `${target}.tsv`);
}

async function keptRun(target: TargetName): Promise<KeptRun | undefined> {
  try {
    return parseRun(await readFile(fileOf(target), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function allKept(): Promise<readonly KeptRun[]> {
  const kept = await Promise.all(targetNames.map(keptRun));
  return kept.filter((run) => run !== undefined);
}
