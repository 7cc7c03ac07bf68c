// Whether a value is JSON that everybody can carry, and how many bytes it takes.
// Walks without recursion: a hostile value of 60,000 nested brackets would
// otherwise overflow the stack of whoever measures it.

/** The length of a text in UTF-8. */
export const utf8Bytes = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    // Each half of a surrogate pair counts two: four in all.
    bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2
  }
  return bytes
}

/** About the bytes of the value's JSON text (escapes are not counted), or −1 when it is no JSON or nested too deeply. */
export const jsonBytes = (value: unknown, depthMax: number): number => {
  const small = scalarBytes(value)
  if (small !== 0) return small
  const stack: unknown[] = [value]
  const depths: number[] = [1]
  let bytes = 0
  while (stack.length > 0) {
    const item = stack.pop() as object
    const depth = depths.pop() as number
    if (depth > depthMax) return -1
    bytes += 2
    const isList = Array.isArray(item)
    if (!isList && !isPlain(item)) return -1
    const keys = isList ? null : Object.keys(item)
    const length = keys === null ? (item as unknown[]).length : keys.length
    for (let i = 0; i < length; i++) {
      const key = keys?.[i]
      const child =
        key === undefined ? (item as unknown[])[i] : (item as Readonly<Record<string, unknown>>)[key]
      bytes += 1 + (key === undefined ? 0 : utf8Bytes(key) + 3)
      const size = scalarBytes(child)
      if (size < 0) return -1
      if (size > 0) bytes += size
      else {
        stack.push(child)
        depths.push(depth + 1)
      }
    }
  }
  return bytes
}

/** −1: not JSON; 0: a list or an object. */
const scalarBytes = (value: unknown): number => {
  switch (typeof value) {
    case 'string':
      return utf8Bytes(value) + 2
    case 'number':
      return Number.isFinite(value) ? String(value).length : -1
    case 'boolean':
      return value ? 4 : 5
    case 'object':
      return value === null ? 4 : 0
    default:
      return -1
  }
}

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
