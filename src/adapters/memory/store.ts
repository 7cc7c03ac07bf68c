// The store of a node that keeps nothing: embedded in a test or a short-lived
// program. Everything is durable at once, and gone with the process.

import { compareText } from '../../core/ids.js'
import type { Store } from '../../ports.js'

export const createMemoryStore = (): Store => {
  const entries = new Map<string, Uint8Array>()
  let commits = 0
  let bytesWritten = 0
  return {
    write: writes => {
      for (const { key, value } of writes) {
        if (value === null) entries.delete(key)
        else entries.set(key, value)
        bytesWritten += key.length + (value?.byteLength ?? 0)
      }
      commits++
      return Promise.resolve()
    },
    async *read(prefix) {
      const keys = [...entries.keys()].filter(key => key.startsWith(prefix)).sort(compareText)
      for (const key of keys) yield { key, value: entries.get(key) as Uint8Array }
    },
    close: () => Promise.resolve(),
    stats: () => ({ commits, bytesWritten, pendingWrites: 0 }),
  }
}
