import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage, parseYaml, readText } from '@spillway/kube';
import { stringify } from 'yaml';
import type { InstalledConfig } from '../addon/installation/installation.ts';
import { installationProblems, installedConfig } from '../addon/installation/installed-config.ts';
import { type NamedFile, namedFiles } from '../addon/installation/named-files.ts';
import { type FileContent, isMounted, type SecretMount } from '../addon/installation/secret-mounts.ts';
import { loadPlacedConfig, parseConfig } from '../config/load.ts';
import type { Problem } from '../config/problems.ts';

/** A configuration as it is installed, and the files of this machine that go with it. */
export interface InstallableConfig extends InstalledConfig {
  readonly files: readonly FileContent[];
}

/** @throws ConfigError, with the places in the file */
export async function readInstallable(
  file: string,
  {
    namespace,
    replicas,
    mounts,
  }: { readonly namespace: string; readonly replicas: number; readonly mounts: readonly SecretMount[] },
): Promise<InstallableConfig> {
  const { errorOf } = await loadPlacedConfig(file);
  const installed = installableOf(await readText(file), file, namespace);
  const problems = installationProblems(installed.config, namespace, replicas);
  if (problems.length > 0) throw errorOf(problems);
  const brought = namedFiles(installed.config).filter((named) => !isMounted(named.file, mounts));
  const read = await Promise.all(brought.map(contentsOf));
  const unreadable = read.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  if (unreadable.length > 0) throw errorOf(unreadable);
  const contents = new Map(read.flatMap(({ files }) => files).map((each) => [each.file, each]));
  return { ...installed, files: [...contents.values()] };
}

/** @param text of a configuration, which an installation may have completed already */
export function installableOf(text: string, file: string, namespace: string): InstalledConfig {
  const written: unknown = parseYaml(text)[0]?.value;
  const values = Object.fromEntries(Object.entries(Object(written)));
  const complete = stringify(installedConfig(values, namespace));
  return { text: complete, config: parseConfig(complete, file) };
}

interface Contents {
  readonly files: readonly FileContent[];
  readonly problem?: Problem;
}

/** Of a file, or of each file in a folder. */
async function contentsOf({ path: at, file, isKubeconfig }: NamedFile): Promise<Contents> {
  try {
    const isFolder = (await stat(file)).isDirectory();
    const found = isFolder ? (await readdir(file)).filter((name) => !name.startsWith('.')) : [path.basename(file)];
    const folder = isFolder ? file : path.dirname(file);
    const files = await Promise.all(
      found.map(async (name) => ({ file: path.join(folder, name), content: await readFile(path.join(folder, name)) })),
    );
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
