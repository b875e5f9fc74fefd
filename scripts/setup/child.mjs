import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';

const passedOn = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
/** Ctrl-C reaches us from the terminal and from npm: that is one wish. */
const sameWishMs = 500;

/** When we are killed in a way that we cannot see, the kernel ends the command. */
const setpriv = '/usr/bin/setpriv';
const dyingWithUs = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'TERM', '--'] : [];

/**
 * Runs a command with our terminal and resolves with its exit code, 128 + n when signal n ended it. It runs in a process
 * group of its own and gets every signal from us exactly once; we outlive it, so its clean-up is always waited for.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, output?: 'shown' | 'on failure' | 'hidden' }} [options]
 * @returns {Promise<{ code: number, interrupted: boolean }>}
 */
export function runChild(command, args, { cwd, env, output = 'shown' } = {}) {
  return new Promise((resolve, reject) => {
    const [program = command, ...rest] = [...dyingWithUs, command, ...args];
    const child = spawn(program, rest, {
      cwd,
      env: env ?? process.env,
      detached: true,
      stdio: output === 'shown' ? ['inherit', ours(process.stdout), ours(process.stderr)] : ['ignore', 'pipe', 'pipe'],
    });
    /** @type {Buffer[]} */
    const said = [];
    if (output === 'shown') {
      child.stdout?.pipe(process.stdout, { end: false });
      child.stderr?.pipe(process.stderr, { end: false });
    } else {
      child.stdout?.on('data', (chunk) => said.push(chunk));
      child.stderr?.on('data', (chunk) => said.push(chunk));
    }
    let lastWish = -Infinity;
    let interrupted = false;
    const handlers = passedOn.map((signal) => {
      const onSignal = () => {
        interrupted = true;
        if (performance.now() - lastWish < sameWishMs) return;
        lastWish = performance.now();
        killGroup(child.pid, signal);
      };
      process.on(signal, onSignal);
      return { signal, onSignal };
    });
    const settle = () => {
      for (const { signal, onSignal } of handlers) process.off(signal, onSignal);
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', (code, signal) => {
      settle();
      if (output === 'on failure' && code !== 0 && !interrupted) process.stderr.write(Buffer.concat(said));
      resolve({ code: code ?? 128 + (signal ? constants.signals[signal] : 0), interrupted });
    });
  });
}

/**
 * A terminal is handed on as it is. A pipe is not: Node and npm make theirs non-blocking, which the kernel does for all
 * who share it, and other programs fail when it is full.
 *
 * @param {NodeJS.WriteStream} stream
 */
function ours(stream) {
  return stream.isTTY ? 'inherit' : 'pipe';
}

/** @param {number | undefined} pid @param {NodeJS.Signals} signal */
function killGroup(pid, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has just ended.
  }
}
