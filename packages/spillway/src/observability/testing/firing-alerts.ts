import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { resolvePromtool } from '@spillway/devcluster';
import type { Node } from '@spillway/kube';
import { stringify } from 'yaml';
import { ruleFiles } from './monitoring-files.ts';

/** As Prometheus has a series: what it is called, and all its values, one a minute. */
export interface PrometheusSeries {
  readonly series: string;
  readonly values: string;
}

const minutes = 120;

/**
 * Which alerts fire when it goes on for two hours as between two looks at the metrics of a process: what was counted between them
 * is counted in each minute, and everything else stays as it was at last.
 */
export async function firingAlerts(before: string, after: string): Promise<readonly string[]> {
  const earlier = new Map(samplesOf(before).map(({ series, value }) => [series, value]));
  return await alertsOf(
    samplesOf(after).map(({ series, value, counts }) => {
      const inAMinute = counts ? value - (earlier.get(series) ?? 0) : 0;
      return { series: asScraped(series), values: `${value}+${inAMinute}x${minutes}` };
    }),
  );
}

/** Which alerts fire with these series, after two hours. */
export async function alertsOf(input: readonly PrometheusSeries[]): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'spillway-alerts-'));
  try {
    const file = join(dir, 'alerts.test.yaml');
    // It tells what it has got when it is not what was expected.
    const query = {
      expr: 'sum by (alertname) (ALERTS{alertstate="firing"}) or vector(-1)',
      eval_time: `${minutes}m`,
      exp_samples: [],
    };
    const test = { interval: '1m', input_series: input, promql_expr_test: [query] };
    await writeFile(file, stringify({ rule_files: ruleFiles, evaluation_interval: '1m', tests: [test] }));
    const said = await failureOf(await resolvePromtool(), ['test', 'rules', file]);
    const [, got] = /^\s*got: (.*)$/m.exec(said) ?? [];
    if (got === undefined) throw new Error(`promtool does not tell which alerts fire: ${said}`);
    return Array.from(got.matchAll(/alertname="(\w+)"/g), ([, name = '']) => name).toSorted();
  } finally {
    await rm(dir, { recursive: true });
  }
}

const always = (value: number): string => `${value}x${minutes}`;

/** What kube-state-metrics says of a node. */
export function seriesOfNode({ metadata, status }: Node): readonly PrometheusSeries[] {
  const node = `node="${metadata?.name}"`;
  const isReady = status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');
  return [
    { series: `kube_node_info{${node},os_image="${status?.nodeInfo?.osImage}"}`, values: always(1) },
    {
      series: `kube_node_status_condition{${node},condition="Ready",status="true"}`,
      values: always(isReady === true ? 1 : 0),
    },
  ];
}

async function failureOf(program: string, args: readonly string[]): Promise<string> {
  const run = promisify(execFile)(program, args);
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

interface Sample {
  readonly series: string;
  readonly value: number;
  /** It only rises. */
  readonly counts: boolean;
}

function samplesOf(text: string): readonly Sample[] {
  let counts = false;
  return text.split('\n').flatMap((line) => {
    const [, type] = /^# TYPE \S+ (\w+)$/.exec(line) ?? [];
    if (type !== undefined) counts = type !== 'gauge';
    const [, series, value] = /^([a-z]\w*(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (series === undefined || Number.isNaN(Number(value))) return [];
    return [{ series, value: Number(value), counts }];
  });
}

/** Prometheus adds from which process it is. */
function asScraped(series: string): string {
  const [name, labels] = series.endsWith('}') ? series.slice(0, -1).split('{', 2) : [series];
  return `${name}{${labels === undefined ? '' : `${labels},`}instance="a"}`;
}
