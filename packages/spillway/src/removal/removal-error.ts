/** Why nothing is removed; says what to do. */
export class RemovalError extends Error {}
