import { parseYaml, readText, type YamlDocument, YamlError, errorMessage } from '@spillway/kube';
import type { ZodType } from 'zod';
import { check } from '../podspec/mistakes.ts';
import type { Config, PoolConfig } from './config.ts';
import { pathText, type Problem, problemsOf, typeAt } from './problems.ts';
import { scenarioSchema } from './scenario.ts';
import { configSchema } from './schema.ts';

/** A problem with its place in the file, counted from 1. */
export interface PlacedProblem {
  readonly line: number;
  readonly column: number;
  /** `pools[0].name`; empty: the whole file. */
  readonly path: string;
  readonly message: string;
}

/** The configuration cannot be used. The message has one line for each problem: `FILE:LINE:COLUMN: PATH: what, and what is allowed`. */
export class ConfigError extends Error {
  override readonly name: string = 'ConfigError';
  readonly problems: readonly PlacedProblem[];

  constructor(message: string, problems: readonly PlacedProblem[], options?: ErrorOptions) {
    super(message, options);
    this.problems = problems;
  }
}

/** A configuration, and how to say that something in it is wrong. */
export interface PlacedConfig {
  readonly config: Config;
  readonly errorOf: (problems: readonly Problem[]) => ConfigError;
}

/** Also reads the files that the configuration is split into. @throws ConfigError */
export async function loadConfig(file: string): Promise<Config> {
  return (await loadPlacedConfig(file)).config;
}

/** @throws ConfigError */
export async function loadPlacedConfig(file: string): Promise<PlacedConfig> {
  const { data: config, errorOf } = parse(await read(file, 'configuration'), file, configSchema);
  const pools = await Promise.all(
    config.pools.map(async (pool): Promise<PoolConfig> => {
      const { backend } = pool;
      if (backend.type !== 'simulated' || typeof backend.scenario !== 'string') return pool;
      const scenario = parse(await read(backend.scenario, 'scenario'), backend.scenario, scenarioSchema).data;
      return { ...pool, backend: { ...backend, scenario } };
    }),
  );
  return { config: { ...config, pools }, errorOf };
}

async function read(file: string, what: string): Promise<string> {
  try {
    return await readText(file);
  } catch (cause) {
    throw new ConfigError(`${file}: cannot read the ${what}: ${errorMessage(cause)}`, [], { cause });
  }
}

/** @param file only for messages. @throws ConfigError */
export function parseConfig(text: string, file: string): Config {
  return parse(text, file, configSchema).data;
}

function parse<T>(
  text: string,
  file: string,
  schema: ZodType<T>,
): { readonly data: T; readonly errorOf: (problems: readonly Problem[]) => ConfigError } {
  const [document, another] = documentsIn(text, file);
  if (another !== undefined) {
    const message = 'must be one YAML document: remove "---" and what follows it';
    throw failure(file, [{ ...another.placeOf([]), path: '', message }]);
  }
  const errorOf = (problems: readonly Problem[]): ConfigError => {
    const placed = problems.map(({ path, key, message }) => ({
      ...(document?.placeOf(path, key) ?? { line: 1, column: 1 }),
      path: pathText(path),
      message,
    }));
    return failure(
      file,
      placed.toSorted((a, b) => a.line - b.line || a.column - b.column),
    );
  };
  const checked = check(schema, document?.value ?? {}, typeAt);
  if ('data' in checked) return { data: checked.data, errorOf };
  if (document?.value === undefined || document.value === null) {
    throw errorOf([{ path: [], message: 'is empty: "spillway config explain" says what belongs into it' }]);
  }
  throw errorOf(problemsOf(checked.mistakes));
}

function documentsIn(text: string, file: string): readonly YamlDocument[] {
  try {
    return parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw failure(
      file,
      error.mistakes.map((mistake) => ({ ...mistake, path: '' })),
    );
  }
}

function failure(file: string, problems: readonly PlacedProblem[]): ConfigError {
  const lines = problems.map(
    ({ line, column, path, message }) => `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`,
  );
  return new ConfigError(lines.join('\n'), problems);
}
