import type { Clock } from '@spillway/kube';

/** What a simulated process has around it. */
export interface Surroundings {
  readonly environment: ReadonlyMap<string, string>;
  /** Content of a file, if there is one. */
  readonly file: (path: string) => Uint8Array | undefined;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: (text: Uint8Array) => Promise<void>;
  readonly stderr: (text: Uint8Array) => Promise<void>;
  readonly clock: Clock;
}

/**
 * Runs as much of a command as a simulation needs: `echo`, `cat`, `env`, `sleep`, `exit`, `true` and `false`, alone or in a
 * `sh -c` script with `;`, `&&`, `||`, `$NAME` and `>&2`. Everything else is a program that says what it would be and succeeds.
 * Resolves with the exit code; when the signal aborts, a sleep ends at once.
 */
export async function runCommand(
  command: readonly string[],
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<number> {
  const [program = '', flag, script] = command;
  const isScript = /(^|\/)(ba|da|a)?sh$/.test(program) && flag === '-c' && script !== undefined;
  const statements = isScript ? parseScript(script) : [{ words: command, when: ';' as const }];
  let code = 0;
  for (const { words, when } of statements) {
    if (signal.aborted || (when === '&&' && code !== 0) || (when === '||' && code === 0)) continue;
    const expanded = isScript ? words.map((word) => expandVariables(word, surroundings.environment)) : words;
    const result = await runStatement(expanded, surroundings, signal);
    if ('exit' in result) return result.exit;
    code = result.code;
  }
  return code;
}

/** Whether the command is one that this shell knows; a container that runs another one simply goes on. */
export function isKnown(command: readonly string[]): boolean {
  const [program = '', flag, script = ''] = command;
  const isScript = /(^|\/)(ba|da|a)?sh$/.test(program) && flag === '-c';
  const statements = isScript ? parseScript(script) : [{ words: command }];
  return statements.every(({ words: [name = ''] }) => programs.has(base(name)) || name === 'exit');
}

type Outcome = { readonly code: number } | { readonly exit: number };
type Program = (args: readonly string[], surroundings: Surroundings, signal: AbortSignal) => Promise<number>;

interface Statement {
  readonly words: readonly string[];
  readonly when: ';' | '&&' | '||';
}

const programs: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['true', async () => 0],
  ['false', async () => 1],
  ['', async () => 0],
  [
    'echo',
    async (args, { stdout }) => {
      await stdout(Buffer.from(`${args.join(' ')}\n`));
      return 0;
    },
  ],
  [
    'env',
    async (_args, { environment, stdout }) => {
      for (const [name, value] of environment) await stdout(Buffer.from(`${name}=${value}\n`));
      return 0;
    },
  ],
  [
    'sleep',
    async ([time = '0'], { clock }, signal) => {
      const seconds = time === 'infinity' ? 1e9 : Number.parseFloat(time) || 0;
      await clock.sleep(Math.min(seconds * 1000, 2 ** 31 - 1), signal);
      return 0;
    },
  ],
  ['cat', cat],
]);

async function cat(paths: readonly string[], { file, stdin, stdout, stderr }: Surroundings): Promise<number> {
  if (paths.length === 0) {
    for await (const chunk of stdin) await stdout(chunk);
    return 0;
  }
  let code = 0;
  for (const path of paths) {
    const content = file(path);
    if (content) await stdout(content);
    else {
      await stderr(Buffer.from(`cat: ${path}: No such file or directory\n`));
      code = 1;
    }
  }
  return code;
}

async function runStatement(
  words: readonly string[],
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<Outcome> {
  const toStderr = words.at(-1) === '>&2';
  const [name = '', ...args] = toStderr ? words.slice(0, -1) : words;
  if (name === 'exit') return { exit: Number.parseInt(args[0] ?? '0', 10) || 0 };
  const around = toStderr ? { ...surroundings, stdout: surroundings.stderr } : surroundings;
  const program = programs.get(base(name));
  if (program) return { code: await program(args, around, signal) };
  await around.stdout(Buffer.from(`simulated: ${[name, ...args].join(' ')}\n`));
  return { code: 0 };
}

/** Words may be quoted; `'…'` keeps `$` as it is by way of a marker that expansion takes away. */
function parseScript(script: string): Statement[] {
  const tokens = script.matchAll(/\s*(?:(&&|\|\||;|\n)|((?:'[^']*'|"[^"]*"|[^\s;&|'"]|&(?!&)|\|(?!\|))+))/g);
  const statements: { words: string[]; when: Statement['when'] }[] = [{ words: [], when: ';' }];
  for (const [, separator, word] of tokens) {
    if (word !== undefined) statements.at(-1)?.words.push(unquote(word));
    else statements.push({ words: [], when: separator === '&&' || separator === '||' ? separator : ';' });
  }
  return statements.filter(({ words }) => words.length > 0);
}

const literalDollar = '\u{e000}';

function unquote(word: string): string {
  return word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) =>
    single === undefined ? (double ?? '') : single.replaceAll('$', literalDollar),
  );
}

function expandVariables(word: string, environment: ReadonlyMap<string, string>): string {
  const expanded = word.replace(/\$(?:(\w+)|\{(\w+)\})/g, (_, plain?: string, braced?: string) => {
    return environment.get(plain ?? braced ?? '') ?? '';
  });
  return expanded.replaceAll(literalDollar, '$');
}

function base(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1);
}
