// How one kind of message becomes a field of the wire's `Frame` and comes back. To
// add a kind: a message and a field in message.proto, and a converter here or beside.

import type { Opener } from './seals.js'

export interface Converter<M, P> {
  write(message: M): P
  read(part: P, opener: Opener): M
}

/** A converter of which the compiler infers both ends. */
export const converter = <M, P>(both: Converter<M, P>): Converter<M, P> => both
