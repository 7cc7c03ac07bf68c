// What Yjs tidies by itself, and must not here: after a change by others it deletes the marks
// of a rich text (bold from here, to here) that seem needless, for everybody. A part of a
// change is not a state that anybody ever had, and in it marks seem needless that are not:
// text came out without its format.
//
// Changes come in parts in a catch-up, from the store, and when a copy is filled. What is
// left standing where two wrote at once is a mark of a few bytes.

import type { Transaction } from 'yjs'

/** For a listener of `afterTransaction`, which comes just before the tidying. */
export const leaveFormats = (transaction: Transaction): void => {
  transaction._needFormattingCleanup = false
}
