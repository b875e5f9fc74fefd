import { connect, type OnReadOpts, type Socket } from 'node:net';
import type { Target } from './targets.ts';

/**
 * Opens a connection to an endpoint, which is paused and reads as `onread` says. What dials through a tunnel has the same form.
 * @throws when nobody answers in time
 */
export type Dial = (target: Target, timeoutMs: number, onread: OnReadOpts) => Promise<Socket>;

export const dialDirectly: Dial = (target, timeoutMs, onread) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: target.address, port: target.port, allowHalfOpen: true, noDelay: true, onread });
    socket.pause();
    let late: NodeJS.Immediate | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      clearImmediate(late);
    };
    const fail = (error: Error): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => {
      // An answer that came while this process had no time is heard first.
      late = setImmediate(() => fail(new Error(`no answer from ${target.address}:${target.port}`)));
    }, timeoutMs);
    socket.once('error', fail);
    socket.once('connect', () => {
      settle();
      socket.off('error', fail);
      resolve(socket);
    });
  });
