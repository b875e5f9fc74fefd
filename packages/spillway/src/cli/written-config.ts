import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage, parseYaml, readText } from '@spillway/kube';
import { parseDocument, stringify } from 'yaml';
import type { InstalledConfig } from '../addon/installation/installation.ts';
import { installationProblems, installedConfig } from '../addon/installation/installed-config.ts';
import { type NamedFile, namedFiles } from '../addon/installation/named-files.ts';
import { type BroughtFile, filesFolder, isMounted, type SecretMount } from '../addon/installation/secret-mounts.ts';
import type { Config } from '../config/config.ts';
import { ConfigError, loadPlacedConfig, parseConfig } from '../config/load.ts';
import type { Problem } from '../config/problems.ts';

/** A configuration as it is installed, and the files of this machine that go with it. */
export interface InstallableConfig extends InstalledConfig {
  readonly files: readonly BroughtFile[];
  /** With the paths of this machine. */
  readonly here: Config;
}

interface Surroundings {
  readonly namespace: string;
  readonly replicas: number;
  readonly mounts: readonly SecretMount[];
}

/** Names files of this machine by the paths at which the pods find them. @throws ConfigError, with the places in the file */
export async function readInstallable(
  file: string,
  { namespace, replicas, mounts }: Surroundings,
): Promise<InstallableConfig> {
  const { config: here, errorOf } = await loadPlacedConfig(file);
  const installed = installableOf(await readText(file), file, namespace);
  const problems = installationProblems(installed.config, namespace, replicas);
  if (problems.length > 0) throw errorOf(problems);
  const named = namedFiles(installed.config).filter((each) => !isMounted(each.file, mounts));
  const sources = [...new Set(named.map((each) => each.file))];
  const nameOf = (source: string): string =>
    `${sources.indexOf(source)}-${path.basename(source).replaceAll(/[^-._A-Za-z0-9]/g, '_')}`;
  const read = await Promise.all(named.map((each) => contentsOf(each, nameOf(each.file))));
  const unreadable = read.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  if (unreadable.length > 0) throw errorOf(unreadable);
  const brought = new Map(read.flatMap(({ files }) => files).map((each) => [each.file, each]));
  const document = parseDocument(installed.text);
  for (const each of named) document.setIn(each.path, `${filesFolder}/${nameOf(each.file)}`);
  const text = document.toString();
  return { text, config: parseConfig(text, file), files: [...brought.values()], here };
}

/** @param text of a configuration, which an installation may have completed already */
export function installableOf(text: string, file: string, namespace: string): InstalledConfig {
  const written: unknown = parseYaml(text)[0]?.value;
  const values = Object.fromEntries(Object.entries(Object(written)));
  const complete = stringify(installedConfig(values, namespace), { aliasDuplicateObjects: false });
  return { text: complete, config: parseConfig(complete, file) };
}

/**
 * The configuration of an installation that another version may have written.
 *
 * @param where the ConfigMap, for people
 * @returns what this version does not know, with what helps, if it cannot use it
 */
export function installedConfigOf(
  text: string,
  where: string,
  namespace: string,
): { readonly installed: InstalledConfig } | { readonly obstacle: string } {
  try {
    return { installed: installableOf(text, 'config.yaml', namespace) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      obstacle: `this version cannot use the configuration that is installed (ConfigMap ${where}):\n${error.message}`,
    };
  }
}

interface Contents {
  readonly files: readonly BroughtFile[];
  readonly problem?: Problem;
}

/** Of a file, or of each file in a folder. @param name by which the pods find it */
async function contentsOf({ path: at, file, isKubeconfig }: NamedFile, name: string): Promise<Contents> {
  try {
    const isFolder = (await stat(file)).isDirectory();
    const inside = isFolder ? (await readdir(file)).filter((each) => !each.startsWith('.')) : [];
    const files = isFolder
      ? await Promise.all(
          inside.map(async (each) => ({ file: `${name}/${each}`, content: await readFile(path.join(file, each)) })),
        )
      : [{ file: name, content: await readFile(file) }];
    const elsewhere = isKubeconfig ? filesOfKubeconfig(files[0]?.content.toString('utf8') ?? '') : [];
    if (elsewhere.length === 0) return { files };
    const message = `refers to other files (${elsewhere.join(', ')}), which the pods do not have: write one that contains them, with "kubectl config view --raw --flatten --minify"`;
    return { files: [], problem: { path: at, message } };
  } catch (error) {
    const message = `cannot be read, so that the pods cannot get it: ${errorMessage(error)}. Or name a Secret that has it: --secret NAME=FOLDER`;
    return { files: [], problem: { path: at, message } };
  }
}

const filesOfKubeconfig = (text: string): readonly string[] =>
  [...text.matchAll(/\b(certificate-authority|client-certificate|client-key|tokenFile)"?\s*:\s*\S/g)].map(
    ([, field = '']) => field,
  );
