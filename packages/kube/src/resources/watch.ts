/** An ERROR event is thrown as an ApiError instead. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** The object has nothing but kind, apiVersion and metadata (resource version, annotations). */
  | { readonly type: 'BOOKMARK'; readonly object: T };
