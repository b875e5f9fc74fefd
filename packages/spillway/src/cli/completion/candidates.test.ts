import { Argument, Command, Option } from 'commander';
import { expect, it } from 'vitest';
import { candidates } from './candidates.ts';

const program = new Command('spillway')
  .option('--no-color', 'no colours')
  .addCommand(
    new Command('why')
      .argument('<pod>')
      .option('-n, --namespace <name>', 'namespace')
      .addOption(new Option('-o, --output <format>', 'format').choices(['table', 'json', 'yaml'])),
  )
  .addCommand(new Command('manifests').addCommand(new Command('rbac')).addCommand(new Command('admission')))
  .addCommand(new Command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh'])));

it.each([
  ['', ['why', 'manifests', 'completion']],
  ['ma', ['manifests']],
  ['manifests ', ['rbac', 'admission']],
  ['manifests r', ['rbac']],
  ['why --', ['--help', '--namespace', '--output', '--no-color']],
  ['why -o ', ['table', 'json', 'yaml']],
  ['why --output j', ['json']],
  ['why --output=json --na', ['--namespace']],
  ['why -n manifests ', []],
  ['completion b', ['bash']],
  ['nonsense ', ['why', 'manifests', 'completion']],
])('after "%s" may stand %j', (line, expected) => {
  expect(candidates(program, line.split(' '))).toEqual(expected);
});
