import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** A package with code in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  /** Texts of its licenses and notices. */
  readonly texts: readonly string[];
}

/** The packages that files belong to, each once, by name. */
export async function bundledPackages(files: readonly string[]): Promise<BundledPackage[]> {
  const folders = new Set<string>();
  const known = new Map<string, string | undefined>();
  for (const file of files) {
    const folder = path.isAbsolute(file) ? await packageFolder(path.dirname(file), known) : undefined;
    if (folder !== undefined) folders.add(folder);
  }
  const packages = await Promise.all(Array.from(folders, readPackage));
  return packages.toSorted((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
}

/** Some packages have folders with a package.json that says only what kind of modules is in there. */
async function packageFolder(folder: string, known: Map<string, string | undefined>): Promise<string | undefined> {
  if (known.has(folder)) return known.get(folder);
  const above = path.dirname(folder);
  const { name, version } = await manifestIn(folder);
  const found = name && version ? folder : above === folder ? undefined : await packageFolder(above, known);
  known.set(folder, found);
  return found;
}

async function readPackage(folder: string): Promise<BundledPackage> {
  const { name = '', version = '', license = 'NOASSERTION' } = await manifestIn(folder);
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).toSorted();
  return { name, version, license, texts: await Promise.all(files.map((file) => read(path.join(folder, file)))) };
}

async function manifestIn(folder: string): Promise<{ name?: string; version?: string; license?: string }> {
  const text = await read(path.join(folder, 'package.json')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return JSON.parse(text);
}

const read = (file: string): Promise<string> => readFile(file, 'utf8');
