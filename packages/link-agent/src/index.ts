export * from './protocol/messages.ts';
export { linkVariables } from './variables.ts';
