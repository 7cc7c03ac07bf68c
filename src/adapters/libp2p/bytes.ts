// Bytes, joined and named. Node's buffers do the same over several calls within Node, which a
// process that handles a message now and then runs cold.

type Bytes = Uint8Array

export const join = (first: Bytes, second: Bytes): Bytes => {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

/** What is turned into a string in one call; more would not fit the stack some time. */
const AT_ONCE = 1_024

/** A character for each byte: a key of maps. */
export const toLatin1 = (bytes: Bytes): string =>
  bytes.length <= AT_ONCE
    ? String.fromCharCode.apply(null, bytes as unknown as number[])
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
