import { connect, type Socket } from 'node:net';
import type { Target } from './targets.ts';

/** Opens a connection to an endpoint. What dials through a tunnel has the same form. @throws when nobody answers in time */
export type Dial = (target: Target, timeoutMs: number) => Promise<Socket>;

export const dialDirectly: Dial = (target, timeoutMs) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: target.address, port: target.port, allowHalfOpen: true, noDelay: true });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`no answer from ${target.address}:${target.port}`)), timeoutMs);
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
  });
