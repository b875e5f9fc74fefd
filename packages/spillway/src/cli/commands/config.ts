import { Command } from 'commander';
import { explain, nearestField } from '../../config/explain.ts';
import { jsonSchema } from '../../config/fields.ts';
import { checkConfig } from '../check-config.ts';
import { UsageError } from '../mistake.ts';
import { print, type Terminal } from '../terminal.ts';

/** `spillway config schema|explain|check` */
export function configCommand(terminal: Terminal): Command {
  const config = new Command('config');
  config
    .command('schema')
    .description('print the JSON Schema of the configuration file, for editors')
    .action(() => {
      print(terminal, JSON.stringify(jsonSchema(), undefined, 2));
    });
  config
    .command('explain')
    .description('explain a field, for example pools[].kubeletPort')
    .argument('[field]', 'path of the field; without one, the whole file', '')
    .action((field: string) => {
      const text = explain(field);
      if (text !== undefined) {
        print(terminal, text);
        return;
      }
      const near = nearestField(field);
      throw new UsageError(`there is no field "${field}"${near === undefined ? '' : `; did you mean "${near}"?`}`);
    });
  config
    .command('check')
    .description('check a configuration file, and the files and regions that it names')
    .requiredOption('--config <file>', 'configuration file')
    .action(async ({ config: file }: { config: string }) => {
      const { pools } = await checkConfig(file);
      const names = pools.map(({ name, nodeName, backend }) => `${name} (node ${nodeName}, ${backend.type})`);
      print(terminal, `${file}: good; pools: ${names.join(', ')}`);
    });
  return config;
}
