// What the pieces of shared state are called between nodes and on disk: spaces are
// `space/<name>`, raw documents `doc/<name>`.

import { isName } from '../ids.js'

export const isDocument = (text: string): boolean =>
  (text.startsWith('space/') || text.startsWith('doc/')) && isName(nameOf(text))

export const nameOf = (document: string): string => document.slice(document.indexOf('/') + 1)
