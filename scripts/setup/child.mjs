import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const passedOn = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
/** Ctrl-C reaches us from the terminal and from npm: that is one wish. */
const sameWishMs = 500;

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
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      detached: true,
      stdio: output === 'shown' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    /** @type {Buffer[]} */
    const said = [];
    child.stdout?.on('data', (chunk) => said.push(chunk));
    child.stderr?.on('data', (chunk) => said.push(chunk));
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

/** @param {number | undefined} pid @param {NodeJS.Signals} signal */
function killGroup(pid, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has just ended.
  }
}
