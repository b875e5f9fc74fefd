import { readFile } from 'node:fs/promises';
import { isMap, isScalar, LineCounter, type Document, isNode, parseDocument } from 'yaml';
import type { ZodType } from 'zod';
import type { Config, PoolConfig } from './config.ts';
import { pathText, type Problem, problemsOf } from './problems.ts';
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

/** Also reads the files that the configuration is split into. @throws ConfigError */
export async function loadConfig(file: string): Promise<Config> {
  const config = parseConfig(await read(file, 'configuration'), file);
  const pools = await Promise.all(
    config.pools.map(async (pool): Promise<PoolConfig> => {
      const { backend } = pool;
      if (backend.type !== 'simulated' || typeof backend.scenario !== 'string') return pool;
      const scenario = parse(await read(backend.scenario, 'scenario'), backend.scenario, scenarioSchema);
      return { ...pool, backend: { ...backend, scenario } };
    }),
  );
  return { ...config, pools };
}

async function read(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why = isMissing(cause) ? 'the file does not exist' : String(cause);
    throw new ConfigError(`${file}: cannot read the ${what}: ${why}`, [], { cause });
  }
}

/** @param file only for messages. @throws ConfigError */
export function parseConfig(text: string, file: string): Config {
  return parse(text, file, configSchema);
}

function parse<T>(text: string, file: string, schema: ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    throw failure(
      file,
      document.errors.map(({ pos, message }) => ({
        ...place(pos[0]),
        path: '',
        message: `not valid YAML: ${message}`,
      })),
    );
  }
  const result = schema.safeParse(document.toJS() ?? {}, { reportInput: true });
  if (result.success) return result.data;
  const placed = problemsOf(result.error.issues).map((problem) => ({
    ...place(offsetOf(document, problem)),
    path: pathText(problem.path),
    message: problem.message,
  }));
  throw failure(
    file,
    placed.toSorted((a, b) => a.line - b.line || a.column - b.column),
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function failure(file: string, problems: readonly PlacedProblem[]): ConfigError {
  const lines = problems.map(
    ({ line, column, path, message }) => `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`,
  );
  return new ConfigError(lines.join('\n'), problems);
}

/** Where the problem is, or for something that is missing, where its nearest existing parent is. */
function offsetOf(document: Document.Parsed, { path, key }: Problem): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (!isNode(node) || !node.range) continue;
    if (key !== undefined && length === path.length && isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    return node.range[0];
  }
  return 0;
}
