/** What a supervisor tells the process that started it, over Node's IPC channel. */
export type SupervisorMessage =
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'ready' }
  /** All that there was has been removed again, unless the message says otherwise. */
  | { readonly type: 'failed'; readonly message: string };
