// What nodes say to each other about shared state. `document` names a space or a
// raw document: spaces are `space/<name>`, raw ones `doc/<name>`.

export type StateMessage =
  /** A hint, broadcast on the document's topic: an update as Yjs encodes it. */
  { readonly kind: 'stateUpdate'; readonly document: string; readonly update: Uint8Array }
