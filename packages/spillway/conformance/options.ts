import { parseArgs } from 'node:util';
import { type TestClass, testClasses } from './classes.ts';
import { UsageError } from '../src/cli/mistake.ts';

export const targetNames = ['control', 'kubernetes', 'cci', 'agent'] as const;
export type TargetName = (typeof targetNames)[number];

export interface ConformanceOptions {
  readonly targets: readonly TargetName[];
  /** Groups of Kubernetes' developers, such as `node`; empty: all. */
  readonly sigs: readonly string[];
  /** What the tests ask of a node; empty: anything. */
  readonly classes: readonly TestClass[];
  /** Regular expression that part of a test's name matches. */
  readonly focus: string | undefined;
  /** Tests at a time. */
  readonly procs: number;
  readonly output: 'text' | 'json';
  /** Keep the results in the repository and write docs/conformance.md. */
  readonly write: boolean;
}

export const usage = `npm run conformance -- [OPTIONS]

Runs the conformance tests of Kubernetes that are neither serial nor disruptive.

  --target NAME[,NAME...]  control: a real kubelet; kubernetes: a virtual node on another cluster; cci: a virtual node on a
                           local region of CCI; agent: the same with interconnect: agent; default: all of them
  --sig NAME[,NAME...]     only tests of these groups, such as node, storage, network, apps, cli
  --class NAME[,NAME...]   only tests that ask this of a node: pod, net, host, kubelet, api; see docs/conformance.md
  --focus REGEX            only tests a part of whose name matches
  --procs N                tests at a time; default 4
  --write                  keep the results in the repository and write docs/conformance.md; not with --sig or --focus
  -o, --output FORMAT      text or json, on standard output; progress goes to standard error; default text
`;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): ConformanceOptions {
  const values = parse(args);
  const { focus, write = false, output = 'text' } = values;
  if (output !== 'text' && output !== 'json') throw new UsageError(`--output ${output}: there are text and json`);
  const sigs = listOf(values.sig).map((name) => name.replace(/^sig-/, ''));
  if (write && (focus !== undefined || sigs.length > 0)) {
    throw new UsageError('--write keeps results that can be compared: leave out --sig and --focus');
  }
  return {
    targets: values.target === undefined ? targetNames : listOf(values.target).map(targetOf),
    sigs,
    classes: listOf(values.class).map(classOf),
    focus: focus === undefined ? undefined : regex(focus),
    procs: positive('--procs', values.procs ?? '4'),
    output,
    write,
  };
}

function parse(
  args: readonly string[],
): Partial<Record<'target' | 'sig' | 'class' | 'focus' | 'procs' | 'output', string> & { write: boolean }> {
  const string = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        target: string,
        sig: string,
        class: string,
        focus: string,
        procs: string,
        output: { type: 'string', short: 'o' },
        write: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function listOf(text = ''): readonly string[] {
  return text.split(',').filter((part) => part !== '');
}

function targetOf(name: string): TargetName {
  const found = targetNames.find((known) => known === name);
  if (found === undefined) throw new UsageError(`--target ${name}: there are ${targetNames.join(', ')}`);
  return found;
}

function classOf(name: string): TestClass {
  const found = testClasses.find((known) => known === name);
  if (found === undefined) throw new UsageError(`--class ${name}: there are ${testClasses.join(', ')}`);
  return found;
}

function regex(text: string): string {
  try {
    return new RegExp(text).source;
  } catch (error) {
    throw new UsageError(`--focus ${text}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function positive(option: string, text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a whole number from 1 to 99, not "${text}"`);
}
