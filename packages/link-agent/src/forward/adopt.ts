import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/**
 * An accepted connection as a socket that reads as `onread` says, and is paused. Node.js gives such only to those who open connections, so
 * this takes the handle of the socket, from which nothing must have been read.
 */
export function adopt(accepted: Socket, onread: OnReadOpts): Socket {
  const options: SocketConstructorOpts & { readonly pauseOnCreate: boolean } = {
    handle: Reflect.get(accepted, '_handle'),
    onread,
    allowHalfOpen: true,
    pauseOnCreate: true,
  };
  Reflect.set(accepted, '_handle', null);
  accepted.destroy();
  return new Socket(options);
}
