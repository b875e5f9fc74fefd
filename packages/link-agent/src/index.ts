export * from './protocol/messages.ts';
