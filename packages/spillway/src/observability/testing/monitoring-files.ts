import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What ships for Prometheus and Grafana. */
const monitoringDir = fileURLToPath(new URL('../../../../../monitoring', import.meta.url));

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const pathsIn = (folder: string, ending: string): string[] =>
  readdirSync(join(monitoringDir, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(monitoringDir, folder, name));

export const ruleFiles: readonly string[] = [...pathsIn('.', '.rules.yaml'), ...pathsIn('.', '.alerts.yaml')];
export const ruleTests: readonly string[] = pathsIn('tests', '.test.yaml');
export const scrapeConfig: string = join(monitoringDir, 'scrape-config.yaml');

export function rules(): readonly Rule[] {
  return ruleFiles.flatMap((path) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- promtool has checked the files
    const { groups } = parse(readFileSync(path, 'utf8')) as RuleFile;
    return groups.flatMap((group) => group.rules);
  });
}

interface RuleTest {
  readonly name: string;
  readonly input_series: readonly { readonly series: string }[];
  readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[];
}

/** What promtool is given, and which alerts it expects. */
export function givenSeries(): readonly {
  readonly test: string;
  readonly series: readonly string[];
  readonly firing: readonly string[];
}[] {
  return ruleTests.flatMap((path) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- promtool has checked the files
    const { tests } = parse(readFileSync(path, 'utf8')) as { readonly tests: readonly RuleTest[] };
    return tests.map(({ name, input_series, promql_expr_test }) => ({
      test: name,
      series: input_series.map(({ series }) => series),
      firing: promql_expr_test.flatMap(({ exp_samples }) =>
        exp_samples.flatMap(({ labels }) => /alertname="(\w+)"/.exec(labels)?.[1] ?? []),
      ),
    }));
  });
}

/** Queries of all dashboards, with a value in place of each variable. */
export function dashboardQueries(): readonly { readonly title: string; readonly expr: string }[] {
  return pathsIn('dashboards', '.json').flatMap((path) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as Grafana exports them
    const { panels } = JSON.parse(readFileSync(path, 'utf8')) as { readonly panels: readonly Panel[] };
    return panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ title, expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$pool', '.*') })),
    );
  });
}

const words = new Set(['by', 'on', 'and', 'or', 'unless', 'without', 'ignoring', 'group_left', 'group_right', 'bool']);

/** The metrics that a PromQL expression asks for. */
export function metricsIn(expr: string): ReadonlySet<string> {
  const bare = expr
    .replaceAll(/"[^"]*"|'[^']*'/g, '""')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const names = Array.from(bare.matchAll(/[a-zA-Z_:][\w:]*(?!\s*\()\b(?!\s*\()/g), ([name]) => name);
  return new Set(names.filter((name) => !words.has(name)));
}
