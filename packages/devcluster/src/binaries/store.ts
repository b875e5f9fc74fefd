import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseJson } from '../json.ts';
import { goPlatform, type Binary } from './catalogue.ts';

/** What the cache remembers of a program; beside it as `<name>.json`. */
interface Receipt {
  readonly sha256: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Where it came from, for people. */
  readonly source: string;
}

/**
 * Programs by version in the user's cache. A program is in it whole or not at all: it is made in a folder of its own
 * and renamed into place after its receipt, so an interruption at any point leaves nothing that would be taken for it.
 */
export class BinaryStore {
  readonly #root: string;
  readonly #toolsDir: string;

  constructor(root: string, toolsDir: string) {
    this.#root = root;
    this.#toolsDir = toolsDir;
  }

  /** The folder's name holds a digest of all that decides the outcome: pinned modules, sources, flags. */
  async path(wanted: Binary): Promise<string> {
    const tags = wanted.tags === undefined ? '' : `${wanted.tags}\n`;
    const hash = createHash('sha256').update(`${wanted.goPackage}\n${wanted.ldflags}\n${tags}`);
    const moduleDir = join(this.#toolsDir, wanted.module);
    for (const file of (await readdir(moduleDir)).toSorted()) hash.update(await readFile(join(moduleDir, file)));
    const { os, arch } = goPlatform(process.platform, process.arch);
    const folder = `${wanted.name}-${wanted.version}-${os}-${arch}-${hash.digest('hex').slice(0, 12)}`;
    return join(this.#root, 'bin', folder, wanted.name);
  }

  /**
   * The program's path when it is there and is what was put there.
   * Contents are compared when size or time of change differ from the receipt, or always with `thorough`.
   */
  async find(wanted: Binary, thorough: boolean): Promise<string | undefined> {
    const path = await this.path(wanted);
    const [info, receipt] = await Promise.all([stat(path).catch(() => undefined), readReceipt(path)]);
    if (info === undefined || receipt === undefined || info.size !== receipt.size) return undefined;
    if (!thorough && info.mtimeMs === receipt.mtimeMs) return path;
    return (await sha256File(path)) === receipt.sha256 ? path : undefined;
  }

  /** `make` writes the program to the path that it is given. Returns where it ended up. */
  async put(wanted: Binary, source: string, make: (path: string) => Promise<void>): Promise<string> {
    const path = await this.path(wanted);
    // Who makes a program holds its lock, so what is there is of one that was killed.
    const work = join(this.#root, 'tmp', basename(dirname(path)));
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    try {
      const made = join(work, wanted.name);
      await make(made);
      await chmod(made, 0o755);
      const info = await stat(made);
      const receipt: Receipt = { sha256: await sha256File(made), size: info.size, mtimeMs: info.mtimeMs, source };
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(`${made}.json`, `${JSON.stringify(receipt, undefined, 2)}\n`);
      await rename(`${made}.json`, `${path}.json`);
      await rename(made, path);
      return path;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
}

async function readReceipt(path: string): Promise<Receipt | undefined> {
  try {
    return parseJson<Receipt>(await readFile(`${path}.json`, 'utf8'));
  } catch {
    return undefined;
  }
}

async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
