/** What the first byte of each WebSocket message says. */
export const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

/** As first byte: the second one names a channel that is closed. From v5 on. */
export const closeSignal = 255;

export interface ChannelCodec {
  encode(channel: number, payload: Buffer): Buffer;
  decode(message: Buffer): [channel: number, payload: Buffer];
}

export const binaryCodec: ChannelCodec = {
  encode(number, payload) {
    const message = Buffer.allocUnsafe(payload.length + 1);
    message[0] = number;
    payload.copy(message, 1);
    return message;
  },
  decode: (message) => [message[0] ?? closeSignal, message.subarray(1)],
};

const digitZero = 0x30;

/** Text messages: the channel as a digit, then base64. */
export const base64Codec: ChannelCodec = {
  encode: (number, payload) => Buffer.from(`${number}${payload.toString('base64')}`, 'latin1'),
  decode: (message) => {
    return [(message[0] ?? closeSignal) - digitZero, Buffer.from(message.toString('latin1', 1), 'base64')];
  },
};
