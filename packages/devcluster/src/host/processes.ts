import { readdir, readFile, stat } from 'node:fs/promises';
import { errorCode } from '../errors.ts';

/** A process for ever: pids are used again, a pid with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot. */
  readonly startTime: string;
}

export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in parentheses, may hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const startTime = fields[19];
    return startTime === undefined || fields[0] === 'Z' ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

export async function isAlive(process: ProcessIdentity | undefined): Promise<boolean> {
  if (process === undefined) return false;
  return (await identify(process.pid))?.startTime === process.startTime;
}

export interface ProcessMarks {
  /** Path of a network namespace. */
  readonly namespace?: string;
  /** `NAME=value` in the process's environment. */
  readonly environment: string;
}

/** Processes that run in the namespace or carry the mark. Those of other users cannot be seen and are left out. */
export async function findProcesses(marks: ProcessMarks): Promise<Set<number>> {
  const inode = marks.namespace === undefined ? undefined : await namespaceInode(marks.namespace);
  const mark = Buffer.from(`\0${marks.environment}\0`);
  const found = new Set<number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const sameNamespace = inode !== undefined && (await namespaceInode(`/proc/${entry}/ns/net`)) === inode;
    if (sameNamespace || (await hasMark(entry, mark))) found.add(Number(entry));
  }
  found.delete(process.pid);
  return found;
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

async function namespaceInode(path: string): Promise<string | undefined> {
  try {
    const info = await stat(path);
    return `${info.dev}:${info.ino}`;
  } catch {
    return undefined;
  }
}

async function hasMark(pid: string, mark: Buffer): Promise<boolean> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`);
    return Buffer.concat([Buffer.from('\0'), environment]).includes(mark);
  } catch {
    return false;
  }
}
